(* SPDX-License-Identifier: MIT *)
(* Backtraces through Printexc: raise, reraise, callstacks, locations. *)
exception E of int
let[@inline never] f n = if n = 0 then raise (E n) else n
let[@inline never] g n = 1 + f n
let[@inline never] h n = try g n with Not_found -> 0
let[@inline never] re n = try h n with E _ as e -> raise e
let[@inline never] wrapped n = try h n with E _ -> raise Exit
let show name f = match f () with (_ : int) -> print_endline "fine" | exception _ -> Printf.printf "%s:\n%s" name (Printexc.get_backtrace ())
let () =
  Printexc.record_backtrace true; Printf.printf "%b\n" (Printexc.backtrace_status ());
  show "direct" (fun () -> f 0); show "deep" (fun () -> h 0); show "reraise" (fun () -> re 0); show "other" (fun () -> wrapped 0);
  show "notrace" (fun () -> raise_notrace Exit); show "library" (fun () -> List.find (fun x -> x > 5) [ 1; 2 ]);
  show "bounds" (fun () -> [| 1 |].(Sys.opaque_identity 3)); show "div" (fun () -> 1 / Sys.opaque_identity 0);
  show "c function" (fun () -> int_of_string "zz"); show "map" (fun () -> List.length (List.map (fun x -> f x) [ 1; 0 ]));
  show "protect" (fun () -> Fun.protect ~finally:ignore (fun () -> g 0));
  (try ignore (h 0) with e -> let bt = Printexc.get_raw_backtrace () in (try Printexc.raise_with_backtrace e bt with _ -> print_string (Printexc.get_backtrace ())));
  (match Printexc.backtrace_slots (try ignore (h 0); Printexc.get_raw_backtrace () with _ -> Printexc.get_raw_backtrace ()) with
   | None -> print_endline "no slots"
   | Some a -> Array.iter (fun s -> match Printexc.Slot.location s with Some l -> Printf.printf "%s:%d:%d-%d raise %b\n" l.filename l.line_number l.start_char l.end_char (Printexc.Slot.is_raise s) | None -> print_endline "?") a);
  let[@inline never] cs () = Printexc.get_callstack 5 in
  print_string (Printexc.raw_backtrace_to_string (cs ()));
  let rec many n = if n = 0 then raise Exit else 1 + many (n - 1) in
  (try ignore (many 2000) with Exit -> Printf.printf "%d\n" (Printexc.raw_backtrace_length (Printexc.get_raw_backtrace ())));
  print_endline (Domain.join (Domain.spawn (fun () -> Printexc.record_backtrace true; try string_of_int (h 0) with E _ -> Printexc.get_backtrace ())));
  Printexc.record_backtrace false; (try ignore (h 0) with _ -> Printf.printf "[%s]\n" (Printexc.get_backtrace ()))
