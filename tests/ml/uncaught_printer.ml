(* SPDX-License-Identifier: MIT *)
(* A registered printer is used for the uncaught exception. *)
exception Mine of int
let () = Printexc.register_printer (function Mine n -> Some (Printf.sprintf "Mine<%d>" n) | _ -> None)
let () = raise (Mine 9)
