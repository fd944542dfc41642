(* SPDX-License-Identifier: MIT *)
(* Fields of Gc.stat and Gc.control that are 0 whatever the program does. *)
open Figures

let rec deep n = if n = 0 then (quick ()).stack_size else 1 + deep (n - 1)

let () =
  let kept = list 100_000 in
  let s = Gc.stat () and c = Gc.get () in
  keep kept;
  count "heap_chunks" s.heap_chunks;
  count "free_blocks" s.free_blocks;
  count "largest_free" s.largest_free;
  count "stack_size_1000_deep" (deep 1000 - 1000);
  count "major_heap_increment" c.major_heap_increment;
  count "max_overhead" c.max_overhead;
  count "window_size" c.window_size
