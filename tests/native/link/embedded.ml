(* SPDX-License-Identifier: MIT *)
let () = Callback.register "f" (fun n -> Gc.compact (); List.length (List.init n string_of_int)); print_endline "started"
let () = Callback.register "g" (fun s -> failwith s)
let () = Callback.register "h" succ
let () = at_exit (fun () -> print_endline "at_exit")
