(* SPDX-License-Identifier: MIT *)
(* An exception that nobody catches: message on stderr, exit code 2, at_exit runs. *)
exception Mine of int * string
let () = at_exit (fun () -> print_endline "at_exit ran")
let () = print_endline "before"; raise (Mine (3, "why"))
