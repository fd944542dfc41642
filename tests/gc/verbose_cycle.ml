(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x1 *)
(* variants: none *)
(* stderr: (Starting new major GC cycle\nMajor GC cycle \d+ ended\n?){2,} *)
(* Bit 0x001: start and end of major cycles. *)
let () =
  Gc.full_major ();
  Gc.full_major ();
  Check.it "the program runs" true
