(* SPDX-License-Identifier: MIT *)
external marked_words : unit -> int = "caml_bactrian_marked_words"
