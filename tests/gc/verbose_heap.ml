(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x4,i=4M *)
(* variants: none *)
(* stderr: Growing heap to 32768k bytes\nGrowing heap to 65536k bytes\n(Shrinking heap to \d+k words\n?)+ *)
(* Bit 0x004: the heap grows, by what major_heap_increment says (4M words are 32 MB), and shrinks. *)
let () =
  let table = Array.init 5 (fun i -> ref (Array.make 1_000_000 i)) in
  Array.iter (fun r -> r := [||]) table;
  Gc.compact ();
  Check.it "the program runs" true
