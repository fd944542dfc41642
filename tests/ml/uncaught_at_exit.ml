(* SPDX-License-Identifier: MIT *)
(* An exception out of an at_exit function. *)
let () = at_exit (fun () -> print_endline "second"); at_exit (fun () -> print_endline "first"; failwith "in at_exit")
