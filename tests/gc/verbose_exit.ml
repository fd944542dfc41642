(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x400 *)
(* variants: none *)
(* stderr: allocated_words: \d{6,}\nminor_words: \d{6,}\npromoted_words: \d{5,}\nmajor_words: \d{6,}\nminor_collections: [1-9]\d*\nmajor_collections: [1-9]\d*\nforced_major_collections: 1\nheap_words: (\d{6,})\ntop_heap_words: \1 *)
(* The final statistics, line by line as OCaml 5.3 prints them, and no figure missing. Those of the heap are of the end: this
   program's is largest then. *)
let kept = List.init 20_000 string_of_int
let () =
  Gc.full_major ();
  let large = Array.init 8 (fun i -> Array.make 12_000 i) in
  Check.it "the program runs" (List.length kept + Array.length large = 20_008)
