(* SPDX-License-Identifier: MIT *)
(* runparam: b *)
(* A backtrace that crosses a handler, and one of a suspended computation. *)
open Effect
open Effect.Deep
type _ Effect.t += Stop : unit Effect.t
let[@inline never] inner () = perform Stop; failwith "inner"
let[@inline never] outer () = inner (); print_endline "never"
let () =
  try_with outer () { effc = (fun (type a) (e : a t) -> match e with Stop -> Some (fun (k : (a, _) continuation) -> print_string (Printexc.raw_backtrace_to_string (get_callstack k 10)); continue k ()) | _ -> None) }
