(* SPDX-License-Identifier: MIT *)
(* Printexc.set_uncaught_exception_handler. *)
let () = Printexc.set_uncaught_exception_handler (fun e _ -> prerr_endline ("handler: " ^ Printexc.to_string e))
let () = ignore (List.hd (Sys.opaque_identity []))
