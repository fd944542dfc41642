(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x200,O=100 *)
(* variants: none *)
(* stderr: (Estimated overhead = \d+%\n)*Estimated overhead = \d{3,}%\nAutomatic compaction triggered\.(\nEstimated overhead = \d+%)* *)
(* Bit 0x200: whether a compaction is worth it. *)
let () =
  let table = Array.init 400_000 (fun i -> Array.make 7 i) in
  Gc.full_major ();
  Array.iteri (fun i _ -> if i mod 20 <> 0 then table.(i) <- [||]) table;
  Gc.full_major ();
  Check.int "the heap was compacted" 1 (Gc.quick_stat ()).Gc.compactions;
  Gc.full_major ();
  Check.int "and needs no other" 1 (Gc.quick_stat ()).Gc.compactions;
  ignore (Sys.opaque_identity table)
