(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x100 *)
(* variants: none *)
(* stderr: (Opening bytecode executable [^\n]*\nNot a bytecode executable\n)*Opening bytecode executable \./verbose_startup\.byte *)
(* backend: byte *)
(* Bit 0x100: the search for the program. *)
let () = Check.it "the program runs" true
