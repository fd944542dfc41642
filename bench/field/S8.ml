(* SPDX-License-Identifier: MIT *)
(* get_minor_free before and after an allocation of 101 words. *)
open Figures

let () =
  let before = Gc.get_minor_free () in
  keep (Array.make 100 0);
  count "free_falls_by_for_101_words" (before - Gc.get_minor_free ())
