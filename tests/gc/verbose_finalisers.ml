(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x80 *)
(* variants: none *)
(* stderr: Calling finalisation functions\.\nDone calling finalisation functions\. *)
(* Bit 0x080: finalisation functions are called. *)
let called = ref 0
let () =
  Gc.finalise (fun _ -> incr called) (Sys.opaque_identity (ref 0));
  Gc.full_major ();
  Check.int "it was called" 1 !called
