(* SPDX-License-Identifier: MIT *)
(* runparam: O=0,Xlimit=64M *)
(* variants: none *)
(* max_overhead = 0 asks for a compaction at the end of each cycle, also of those that a block brings about for which there was no room. Such a
   collection first ends the cycle that is under way, and one compaction follows both. *)
let compactions () = (Gc.quick_stat ()).Gc.compactions
let cycles () = (Gc.quick_stat ()).Gc.major_collections

let () =
  Gc.full_major ();
  let c0 = cycles () and n0 = compactions () in
  let held = ref Bytes.empty in
  for _ = 1 to 20 do
    held := Bytes.create 40_000_000;
    for _ = 1 to 1000 do ignore (Sys.opaque_identity (ref 0)) done;
    held := Bytes.empty
  done;
  Gc.major ();
  let c = cycles () - c0 in
  Check.between "cycles that blocks without room bring about" 5 200 c;
  Check.between "as many compactions as collections" (c / 2) c (compactions () - n0)
