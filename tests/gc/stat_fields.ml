(* SPDX-License-Identifier: MIT *)
(* FIELD S6, S5. heap_chunks, free_blocks, largest_free and stack_size are real; collections of each kind are counted where
   gc.mli says; Gc.stat is one forced full major, and no more than that. *)

let stack () = (Gc.quick_stat ()).stack_size
let rec deep n = if n = 0 then stack () else 1 + deep (n - 1)

let () =
  let here = stack () in
  let below = deep 1000 - 1000 in
  let back = stack () in
  Check.it "the stack has a size" (here > 0);
  (* Of each call native code keeps the return address at least, bytecode the environment too. *)
  let words_of_calls = if Check.is_native then 1000 else 2000 in
  Check.it "1000 calls deeper it is larger by their words" (below >= here + words_of_calls);
  Check.between "and back again afterwards" (here - 8) (here + 8) back;
  let open Effect.Deep in
  let inside = ref 0 in
  let rec under n = if n = 0 then match_with (fun () -> inside := stack ()) () { retc = Fun.id; exnc = raise; effc = (fun _ -> None) } else (under (n - 1); ignore (Sys.opaque_identity n)) in
  under 1000;
  Check.it "the stacks below an effect handler count" (!inside >= here + words_of_calls)

let () =
  Gc.compact ();
  let a = Gc.quick_stat () in
  Check.it "the heap is made of chunks" (a.heap_chunks >= 1);
  let blocks = Array.init 9 (fun i -> Array.make 30_000 i) in
  let before = Gc.quick_stat () in
  for i = 0 to 3 do blocks.((2 * i) + 1) <- [||] done;
  Gc.full_major ();
  let q = Gc.quick_stat () in
  (* Free memory may lie beside a gap: then the two are one. But the blocks between keep the gaps apart. *)
  Check.it "a gap of a large block is free memory" (q.free_words >= before.free_words + 1 && q.largest_free >= 30_001 || q.heap_words < before.heap_words);
  Check.it "there are free blocks" (q.free_blocks >= 1 && q.largest_free >= 1 && q.largest_free <= q.free_words);
  Gc.compact ();
  let c = Gc.quick_stat () in
  Check.it "memory that went back leaves chunks between the gaps" (c.heap_chunks >= 4 || c.heap_words >= before.heap_words - 60_000);
  Check.it "after a compaction no free block is larger than a slot" (c.largest_free <= 4096);
  ignore (Sys.opaque_identity blocks)

let figures () =
  let q = Gc.quick_stat () in
  (q.minor_collections, q.major_collections, q.forced_major_collections, q.compactions)

let () =
  let grows name f least_minor major forced compactions =
    let mi0, ma0, f0, c0 = figures () in
    ignore (Sys.opaque_identity (f ()));
    let mi1, ma1, f1, c1 = figures () in
    Check.it (name ^ ": minor collections") (mi1 - mi0 >= least_minor);
    Check.it (name ^ ": major collections") (ma1 - ma0 >= major);
    Check.int (name ^ ": forced major collections") forced (f1 - f0);
    Check.int (name ^ ": compactions") compactions (c1 - c0)
  in
  grows "minor" Gc.minor 1 0 0 0;
  grows "major" Gc.major 1 0 0 0;
  grows "full_major" Gc.full_major 1 1 1 0;
  grows "stat" Gc.stat 1 1 1 0;
  grows "compact" Gc.compact 1 1 1 1;
  grows "quick_stat" Gc.quick_stat 0 0 0 0

(* S5. A forced major that starts in between cycles is one cycle; one during a cycle two. *)
let () =
  Gc.full_major ();
  let _, before, _, _ = figures () in
  for _ = 1 to 20 do ignore (Gc.stat ()) done;
  let _, after, _, _ = figures () in
  Check.between "20 calls of stat are 20 cycles when nothing else runs" 20 40 (after - before)
