(* SPDX-License-Identifier: MIT *)
(* Signals: handlers at safepoints, exceptions out of handlers, ignore, default. *)
let self () = int_of_string (In_channel.with_open_text "/proc/self/stat" (fun ic -> List.hd (String.split_on_char ' ' (input_line ic))))
let kill sg = ignore (Sys.command (Printf.sprintf "kill -%s %d" sg (self ())))
exception Got of int
let () =
  let n = ref 0 in
  let old = Sys.signal Sys.sigusr1 (Signal_handle (fun s -> incr n; if s <> Sys.sigusr1 then print_endline "wrong number")) in
  (match old with Signal_default -> print_endline "default" | _ -> print_endline "other");
  kill "USR1"; while !n < 1 do ignore (Sys.opaque_identity (ref 0)) done; Printf.printf "%d\n" !n;
  Sys.set_signal Sys.sigusr2 (Signal_handle (fun s -> raise (Got s)));
  (try kill "USR2"; while true do ignore (Sys.opaque_identity (ref 0)) done with Got s -> Printf.printf "%b\n" (s = Sys.sigusr2));
  (try ignore (Sys.command (Printf.sprintf "(sleep 0.2; kill -USR2 %d) &" (self ()))); let i = ref 0 in while true do i := !i + 1 done with Got _ -> print_endline "out of a loop that does not allocate");
  Sys.set_signal Sys.sigusr1 Signal_ignore; kill "USR1"; Printf.printf "%d\n" !n;
  (match Sys.signal Sys.sigusr1 Signal_default with Signal_ignore -> print_endline "ignored" | _ -> print_endline "other");
  Sys.catch_break true; (try ignore (Sys.command (Printf.sprintf "(sleep 0.2; kill -INT %d) &" (self ()))); while true do ignore (Sys.opaque_identity (ref 0)) done with Sys.Break -> print_endline "Break");
  (try Sys.set_signal 9999 Signal_ignore with Invalid_argument m -> print_endline m | Sys_error m -> print_endline m);
  (try Sys.set_signal Sys.sigkill Signal_ignore with Invalid_argument m -> print_endline m | Sys_error m -> print_endline m);
  print_endline "and now TERM"; kill "TERM"; while true do ignore (Sys.opaque_identity (ref 0)) done
