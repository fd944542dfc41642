(* SPDX-License-Identifier: MIT *)
(* flags: -g -inline 100 *)
(* Locations of functions that were inlined into others, and long ones. *)
let[@inline always] a x = if x > 0 then failwith "a" else x
let[@inline always] b x = a (x + 1) + 1
let[@inline never] c x = b x * 2
let rec d n = if n = 0 then c 1 else 1 + d (n - 1)
let long_line = "                                                                                                                        ", fun () -> raise Not_found
let multi
  x
  =
  1 + c
    (x
     +
     1)
let () =
  Printexc.record_backtrace true;
  let show f = try ignore (f ()) with _ ->
    let raw = Printexc.get_raw_backtrace () in
    print_string (Printexc.raw_backtrace_to_string raw);
    Option.iter (Array.iter (fun s -> Printf.printf "  raise %b inline %b %s\n" (Printexc.Slot.is_raise s) (Printexc.Slot.is_inline s)
      (Option.value ~default:"-" (Printexc.Slot.name s)))) (Printexc.backtrace_slots raw);
    let rec walk s = match Printexc.get_raw_backtrace_next_slot s with
      | None -> () | Some n -> (match Printexc.Slot.location (Printexc.convert_raw_backtrace_slot n) with
        | Some l -> Printf.printf "  next %d:%d-%d,%d:%d\n" l.line_number l.start_char l.end_char l.end_line l.end_col | None -> ()); walk n in
    for i = 0 to Printexc.raw_backtrace_length raw - 1 do walk (Printexc.get_raw_backtrace_slot raw i) done in
  show (fun () -> c 1); show (fun () -> d 3); show (snd long_line); show (fun () -> multi 1);
  show (fun () -> List.map (fun x -> c x) [ 1 ]); show (fun () -> Array.init 3 (fun i -> c i))
