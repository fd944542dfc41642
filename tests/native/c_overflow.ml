(* SPDX-License-Identifier: MIT *)
(* with: c_overflow_stubs.c *)
(* checks: itself *)
(* Overflow of the C stack is an exception, in every domain and fiber. *)
external recurse : int -> string -> int = "ovf_recurse"
external apply : ('a -> 'b) -> 'a -> 'b = "ovf_apply"
external roots : unit -> int = "ovf_roots"
let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
let overflows f = match f () with exception Stack_overflow -> true | _ -> false
let rec ping n = 1 + apply ping (n + 1)
let churn () = ignore (Sys.opaque_identity (List.init 1000 string_of_int)); Gc.full_major ()
let all where =
  let before = roots () in
  for _ = 1 to 3 do
    check ("C recursion " ^ where) (overflows (fun () -> recurse (-1) "x")); churn ();
    check ("through callbacks " ^ where) (overflows (fun () -> ping 0)); churn ();
  done;
  check ("enough stack " ^ where) (recurse 100 "x" = 100);
  check ("roots " ^ where) (roots () = before)
open Effect
open Effect.Deep
type _ Effect.t += E : unit Effect.t
let () =
  all "main";
  (match perform E; all "fiber"; perform E with () -> () | effect E, k -> continue k ());
  Domain.join (Domain.spawn (fun () -> all "domain"));
  all "main again"
