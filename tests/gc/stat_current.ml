(* SPDX-License-Identifier: MIT *)
(* FIELD S7, S1. quick_stat is of the instant: a program that only allocates large blocks, without any collection, sees each of them;
   large garbage is not live after a major, and its memory is free, then returned. *)
(* runparam: o=1000000 *)

let words = 50_001

let () =
  Gc.full_major ();
  Gc.full_major ();
  let trouble = ref "" in
  let kept = Array.make 10 [||] in
  for i = 0 to 9 do
    (* A minor collection between the two promotes something; at another try none happens. *)
    let rec one tries =
      let a = Gc.quick_stat () in
      kept.(i) <- Array.make (words - 1) 0;
      let b = Gc.quick_stat () in
      if a.minor_collections <> b.minor_collections && tries > 0 then one (tries - 1)
      else if b.live_words - a.live_words <> words || b.live_blocks - a.live_blocks <> 1 || b.heap_words <> b.live_words + b.free_words + b.fragments then
        trouble := Printf.sprintf "block %d: live words %+d, blocks %+d" i (b.live_words - a.live_words) (b.live_blocks - a.live_blocks)
    in
    one 100
  done;
  Check.string "each large block is live at once" "" !trouble;
  ignore (Sys.opaque_identity kept)

let () =
  Gc.full_major ();
  let before = Gc.quick_stat () in
  let kept = Sys.opaque_identity (ref (List.init 10 (fun _ -> Array.make (words - 1) 0))) in
  Gc.full_major ();
  let full = Gc.quick_stat () in
  kept := [];
  Gc.full_major ();
  let after = Gc.quick_stat () in
  Check.it "ten large blocks were live" (full.live_words - before.live_words >= 10 * words);
  Check.between "large garbage is not live after a major" (-100_000) 1000 (after.live_words - before.live_words);
  Gc.compact ();
  let compacted = Gc.quick_stat () in
  Check.it "its memory is no part of the heap after a compaction" (compacted.heap_words <= full.heap_words - (10 * words));
  Check.it "and its maximum remembers" (compacted.top_heap_words >= full.heap_words)
