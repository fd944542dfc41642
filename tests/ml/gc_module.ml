(* SPDX-License-Identifier: MIT *)
(* The Gc module: settings, counters that only grow, collections on demand. *)
let () =
  let c = Gc.get () in
  Printf.printf "%d %d %d\n" c.space_overhead c.custom_major_ratio c.custom_minor_ratio;
  Gc.set { c with space_overhead = 200; minor_heap_size = 65536 };
  let d = Gc.get () in
  Printf.printf "%d %d\n" d.space_overhead d.minor_heap_size;
  let s0 = Gc.quick_stat () in
  let keep = List.init 100_000 string_of_int in
  Gc.minor (); ignore (Gc.major_slice 0); Gc.major (); Gc.full_major (); Gc.compact ();
  let s1 = Gc.quick_stat () in
  Printf.printf "%b %b %b %b %b\n" (s1.minor_words > s0.minor_words) (s1.minor_collections > s0.minor_collections) (s1.major_collections > s0.major_collections) (s1.compactions > s0.compactions) (s1.promoted_words >= s0.promoted_words);
  let st = Gc.stat () in
  Printf.printf "%b %b %b\n" (st.live_words > 300_000) (st.live_blocks > 200_000) (st.heap_words >= st.live_words);
  let a, p, m = Gc.counters () in
  Printf.printf "%b %b\n" (a >= p) (m >= p);
  Printf.printf "%b %b\n" (Gc.minor_words () >= a) (Gc.allocated_bytes () > 0.);
  Printf.printf "%b\n" (Gc.get_minor_free () >= 0);
  Printf.printf "%d\n" (List.length keep)
