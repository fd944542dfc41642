(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x10 *)
(* variants: none *)
(* stderr: Compacting heap\.\.\.\ndone\.\nCompacting heap\.\.\.\ndone\. *)
(* Bit 0x010: compactions. *)
let () =
  Gc.compact ();
  Gc.full_major ();
  Gc.compact ();
  Check.it "the program runs" true
