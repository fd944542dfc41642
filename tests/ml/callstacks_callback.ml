(* SPDX-License-Identifier: MIT *)
(* Call stacks and backtraces across callbacks from C (here: finalisers, which a primitive of Gc calls):
   nested, under handlers, out of effect handlers, and of exceptions that pass through. *)
open Effect
open Effect.Deep

let show name =
  let t = Printexc.get_callstack 100 in
  Printf.printf "-- %s\n%s" name (Printexc.raw_backtrace_to_string t)

let backtrace name =
  Printf.printf "-- %s\n" name;
  Printexc.print_backtrace stdout

let[@inline never] collect () = Gc.full_major (); print_string ""
let[@inline never] guarded f = try f (); print_string "" with Not_found -> show "no handler"
let[@inline never] inner () = guarded (fun () -> collect (); print_string "")
let[@inline never] run () =
  (try inner (); print_string "" with Exit -> show "no handler");
  print_string ""

(* The next collection calls f. *)
let called_back f = Gc.finalise (fun _ -> f (); print_string "") (ref 0)

let shown where () = try show where; print_string "" with Exit -> ()

let () =
  called_back (shown "one callback");
  run ();
  called_back (fun () ->
    guarded (fun () ->
      Gc.finalise_release ();
      called_back (shown "callback in a callback");
      collect ();
      print_string ""));
  run ()

type _ Effect.t += E : unit Effect.t

let () =
  called_back (fun () ->
    let handle (type a) (e : a Effect.t) : ((a, unit) continuation -> unit) option =
      match e with
      | E ->
        Some (fun k ->
          Printf.printf "-- continuation\n%s" (Printexc.raw_backtrace_to_string (get_callstack k 100));
          show "handler of an effect";
          continue k ())
      | _ -> None
    in
    try_with (fun () -> show "computation"; perform E; print_string "") () { effc = handle });
  run ()

let () = Printexc.record_backtrace true

let ran name =
  try run (); print_string "" with Failure _ -> backtrace name

let () =
  called_back (fun () -> guarded (fun () -> failwith "deep"));
  ran "exception through a callback";
  called_back (fun () -> try guarded (fun () -> failwith "deep") with Failure _ as e -> backtrace "in it"; raise e);
  ran "raised again";
  called_back (fun () -> try raise Exit with Exit -> backtrace "handled in it");
  ran "nothing";
  called_back (fun () -> try perform E with Unhandled _ -> backtrace "unhandled effect");
  ran "nothing";
  called_back (fun () -> ignore (int_of_string "no number"));
  ran "exception of C code"
