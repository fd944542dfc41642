(* SPDX-License-Identifier: MIT *)
(* exit in the middle, nested at_exit, an at_exit that raises. *)
let () = at_exit (fun () -> print_endline "one"); at_exit (fun () -> print_endline "two"; at_exit (fun () -> print_endline "three"))
let () = print_string "unflushed "; exit 7
