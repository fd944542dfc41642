(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x4,i=100 *)
(* variants: none *)
(* stderr: Growing heap to 8192k bytes\nGrowing heap to 16384k bytes\nGrowing heap to 32768k bytes\nGrowing heap to 65536k bytes *)
(* major_heap_increment = 100: each growth doubles the heap. *)
let () =
  let table = Array.init 48 (fun i -> Array.make 120_000 i) in
  Check.int "the program runs" 48 (Array.length (Sys.opaque_identity table))
