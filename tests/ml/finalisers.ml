(* SPDX-License-Identifier: MIT *)
(* Gc.finalise and finalise_last: order, resurrection, values seen. *)
let log = Buffer.create 100
let kept = ref None
let () =
  for i = 1 to 5 do Gc.finalise (fun r -> Buffer.add_string log (Printf.sprintf "f%d " !r)) (ref i) done;
  Gc.full_major (); Gc.full_major ();
  print_endline (Buffer.contents log); Buffer.clear log;
  for i = 1 to 5 do Gc.finalise_last (fun () -> Buffer.add_string log (Printf.sprintf "l%d " i)) (ref i) done;
  Gc.full_major (); Gc.full_major ();
  print_endline (Buffer.contents log); Buffer.clear log;
  Gc.finalise (fun r -> kept := Some r) (ref 77);
  Gc.full_major ();
  Printf.printf "%s\n" (match !kept with Some r -> string_of_int !r | None -> "lost");
  let r = ref 1 in
  Gc.finalise (fun _ -> Buffer.add_string log "A ") r; Gc.finalise (fun _ -> Buffer.add_string log "B ") r;
  Gc.finalise_last (fun () -> Buffer.add_string log "L ") r;
  ignore (Sys.opaque_identity !r);
  Gc.full_major (); Gc.full_major (); Gc.full_major ();
  print_endline (Buffer.contents log); Buffer.clear log;
  (try Gc.finalise ignore 5 with Invalid_argument m -> print_endline m);
  Gc.finalise (fun _ -> raise Exit) (ref 0);
  (try Gc.full_major (); print_endline "not raised" with Exit -> print_endline "raised");
  let count = ref 0 in
  for _ = 1 to 2000 do Gc.finalise (fun _ -> incr count) (Bytes.create 10) done;
  Gc.full_major (); Gc.full_major ();
  Printf.printf "%d\n" !count;
  let alarms = ref 0 in
  let a = Gc.create_alarm (fun () -> incr alarms) in
  Gc.full_major (); Gc.delete_alarm a;
  Printf.printf "%b\n" (!alarms > 0)
