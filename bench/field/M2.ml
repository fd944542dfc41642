(* SPDX-License-Identifier: MIT *)
(* After a compaction the pacing starts anew: 2 MB live, then 4,000 arrays of 1 MB, each dropped at once. *)
open Figures

let () =
  let kept = ref (Array.init 400 (fun _ -> list 40_000)) in
  keep kept;
  kept := Array.init 100 (fun _ -> list 900);
  Gc.compact ();
  let highest = ref 0 and before = cycles () in
  for i = 1 to 4_000 do
    keep (Array.make 131_072 i);
    highest := max !highest (quick ()).heap_words
  done;
  keep kept;
  figure "heap_MB_after_compaction" (float_of_int !highest /. 131072.);
  count "cycles" (cycles () - before)
