(* SPDX-License-Identifier: MIT *)
(* Gc.Memprof.start, stop, discard: what they accept, what they refuse, in which words. *)
module M = Gc.Memprof

let start ?callstack_size sampling_rate = M.start ~sampling_rate ?callstack_size M.null_tracker

let refused name ?callstack_size rate =
  Check.raises name (Invalid_argument "Gc.Memprof.start") (fun () -> start ?callstack_size rate)

let accepted name ?callstack_size rate =
  match start ?callstack_size rate with
  | profile -> M.stop (); M.discard profile; Check.it name true
  | exception _ -> Check.it name false

let no_profile = Failure "Gc.Memprof.stop: no profile running."
let already = Failure "Gc.Memprof.start: already started."

let () =
  Check.raises "stop before any start fails" no_profile M.stop;
  refused "a rate below 0 is refused" (-1e-9);
  refused "a rate above 1 is refused" (Float.succ 1.);
  refused "a rate that is no number is refused" Float.nan;
  refused "an infinite rate is refused" Float.infinity;
  refused "a negative callstack_size is refused" ~callstack_size:(-1) 0.5;
  Check.raises "nothing runs after a refused start" no_profile M.stop;
  accepted "rate 0" 0.;
  accepted "rate -0" (-0.);
  accepted "rate 1" 1.;
  accepted "the least rate above 0" (Float.succ 0.);
  accepted "the greatest rate below 1" (Float.pred 1.);
  accepted "callstack_size 0" ~callstack_size:0 0.5;
  accepted "callstack_size max_int" ~callstack_size:max_int 0.5

let () =
  let first = start 0.5 in
  Check.raises "start while a profile is sampling raises" already (fun () -> start 0.5);
  Check.raises "its arguments are looked at first" (Invalid_argument "Gc.Memprof.start") (fun () -> start 2.);
  Check.raises "discard of a sampling profile raises" (Failure "Gc.Memprof.discard: profile not stopped.")
    (fun () -> M.discard first);
  M.stop ();
  Check.raises "a second stop fails" no_profile M.stop;
  let second = start 0.5 in
  M.discard first;
  Check.raises "a second discard raises" (Failure "Gc.Memprof.discard: profile already discarded.")
    (fun () -> M.discard first);
  M.stop ();
  M.discard second

(* null_tracker's callbacks return None or (). *)
let () =
  let allocation =
    let seen = ref None in
    let profile = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = fun a -> seen := Some a; None } in
    ignore (Sys.opaque_identity (ref 1));
    M.stop ();
    M.discard profile;
    Option.get !seen
  in
  let null : (int, int) M.tracker = M.null_tracker in
  Check.it "null_tracker returns None and ()"
    (null.alloc_minor allocation = None && null.alloc_major allocation = None && null.promote 1 = None
     && null.dealloc_minor 1 = () && null.dealloc_major 1 = ())

(* At rate 0 nothing is sampled. *)
let () =
  let n = ref 0 in
  let count _ = incr n; None in
  let profile = M.start ~sampling_rate:0. { M.null_tracker with alloc_minor = count; alloc_major = count } in
  for i = 1 to 1000 do
    ignore (Sys.opaque_identity (ref i));
    ignore (Sys.opaque_identity (Array.make 300 i))
  done;
  M.stop ();
  M.discard profile;
  Check.int "rate 0 samples nothing" 0 !n
