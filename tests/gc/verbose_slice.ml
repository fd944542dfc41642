(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x40 *)
(* variants: none *)
(* stderr: (heap_words = \d+\nallocated_words = \d+\nalloc work-to-do = \d+\ncomputed work = \d+ words\n|Starting major GC cycle\n)*Starting major GC cycle\n(heap_words = \d+\nallocated_words = \d+\nalloc work-to-do = \d+\ncomputed work = \d+ words\n?|Starting major GC cycle\n)+ *)
(* Bit 0x040: how much a slice is to do. *)
let () =
  let kept = ref [] in
  for i = 1 to 1_000_000 do kept := i :: !kept done;
  Check.int "the program runs" 1_000_000 (List.length !kept)
