(* SPDX-License-Identifier: MIT *)
(* with: c_overflow_stubs.c *)
(* checks: itself *)
(* Overflow of the C stack is an exception, in every domain and fiber; not in a [@@noalloc] function, of which OCaml code has said nothing:
   that ends the process, as SIGSEGV from another process does. *)
external recurse : int -> string -> int = "ovf_recurse"
external apply : ('a -> 'b) -> 'a -> 'b = "ovf_apply"
external roots : unit -> int = "ovf_roots"
external in_noalloc : int -> int = "ovf_in_noalloc" [@@noalloc]
external in_noalloc10 : int -> int -> int -> int -> int -> int -> int -> int -> int -> int -> int = "ovf_in_noalloc10_byte" "ovf_in_noalloc10" [@@noalloc]
external in_child : (unit -> unit) -> int = "ovf_in_child"
external kill_self : unit -> unit = "ovf_kill_self"
let sigsegv = 11
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
let caught f = try f () with Stack_overflow -> ()
let ends () =
  check "a [@@noalloc] function ends the process" (in_child (fun () ->
    let cells = List.init 100 (fun i -> ref i) in
    caught (fun () -> ignore (in_noalloc max_int));
    ignore (Sys.opaque_identity cells)) = sigsegv);
  check "SIGSEGV that was sent ends it" (in_child kill_self = sigsegv);
  check "a child that does nothing ends well" (in_child ignore = 0);
  check "one with arguments on the stack raises" (in_child (fun () -> caught (fun () -> ignore (in_noalloc10 max_int 2 3 4 5 6 7 8 9 10))) = 0)
open Effect
open Effect.Deep
type _ Effect.t += E : unit Effect.t
let () =
  ends ();
  all "main";
  (match perform E; all "fiber"; perform E with () -> () | effect E, k -> continue k ());
  Domain.join (Domain.spawn (fun () -> all "domain"));
  all "main again"
