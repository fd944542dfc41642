(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x2 *)
(* variants: none *)
(* stderr: <><>[<>!$]*![<>!$]*\$[<>!$]* *)
(* Bit 0x002: minor collections, and slices that mark and sweep. *)
let () =
  Gc.minor ();
  Gc.minor ();
  Gc.full_major ();
  Check.it "the program runs" true
