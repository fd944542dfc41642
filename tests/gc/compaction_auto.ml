(* SPDX-License-Identifier: MIT *)
(* runparam: O=200 *)
(* variants: none *)
(* max_overhead: a heap of scattered survivors is compacted without being asked to, and gives its memory back. *)
let blocks = 400_000
let table = Array.make blocks [||]
let litter = ref 0
let compactions () = (Gc.quick_stat ()).Gc.compactions
let cycles () = (Gc.quick_stat ()).Gc.major_collections

(* Until so many major cycles have passed, or a compaction. *)
let run_until_compaction most =
  let from = cycles () and before = compactions () in
  while cycles () < from + most && compactions () = before do
    for i = 1 to 100 do litter := !litter + Array.length (Sys.opaque_identity (Array.make 300 i)) done
  done

let fill () = for i = 0 to blocks - 1 do table.(i) <- Array.make 7 i done
let scatter keep = for i = 0 to blocks - 1 do if i mod keep <> 0 then table.(i) <- [||] done

let () =
  fill ();
  Gc.full_major ();
  let full = (Gc.quick_stat ()).Gc.heap_words in
  Check.int "a full heap is not compacted" 0 (compactions ());
  scatter 20;
  run_until_compaction 10;
  let s = Gc.quick_stat () in
  Check.int "a scattered heap is compacted" 1 s.Gc.compactions;
  run_until_compaction 2;                               (* it goes back in pieces, while the program goes on *)
  Check.it "memory comes back" ((Gc.quick_stat ()).Gc.heap_words < full * 2 / 3);
  let sound = ref true in
  Array.iteri (fun i a -> if i mod 20 = 0 && a <> Array.make 7 i then sound := false) table;
  Check.it "what lives is what it was" !sound

(* A heap that is scattered again and again is compacted again, but not at each cycle. *)
let () =
  let before = compactions () and from = cycles () in
  for _ = 1 to 24 do
    fill ();
    scatter 20;
    Gc.full_major ()
  done;
  Check.it "each round ends cycles" (cycles () - from >= 24);
  Check.between "again, but not in each of 24 rounds" 2 10 (compactions () - before)

(* Then left alone it is given back for good: the pause that has grown ends. *)
let () =
  run_until_compaction 70;
  Check.it "in the end there is no waste" (let s = Gc.quick_stat () in s.Gc.free_words < 4 * s.Gc.live_words)
