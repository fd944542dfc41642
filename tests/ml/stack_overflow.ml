(* SPDX-License-Identifier: MIT *)
(* runparam: l=300k *)
(* Stack_overflow is an exception: caught, again and again, in a handler's stack and a domain's too. *)
let rec inf n = 1 + inf (n + 1)
let rec inf_try n = try 1 + inf_try (n + 1) with Not_found -> 0
let test f = match f 0 with (_ : int) -> print_endline "?" | exception Stack_overflow -> print_endline "Stack_overflow"
type _ Effect.t += E : unit Effect.t
let () =
  test inf; test inf; test inf_try;
  Gc.full_major ();
  Effect.Deep.try_with test inf { effc = (fun (type a) (_ : a Effect.t) -> None) };
  Domain.join (Domain.spawn (fun () -> test inf));
  let rec list n = n :: list (n + 1) in
  test (fun _ -> List.length (list 0));
  test inf; print_endline "done"
