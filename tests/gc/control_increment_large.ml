(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x4,i=1G *)
(* variants: none *)
(* stderr: Growing heap to \d+k bytes *)
(* An increment of 8 GB costs no memory by itself, and no second growth comes. *)
let () =
  let table = Array.init 48 (fun i -> Array.make 120_000 i) in
  Check.int "the program runs" 48 (Array.length (Sys.opaque_identity table));
  Check.it "the heap is not larger for it" ((Gc.quick_stat ()).Gc.heap_words < 10_000_000)
