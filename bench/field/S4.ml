(* SPDX-License-Identifier: MIT *)
(* quick_stat and counters, asked one after the other in the midst of a nursery. *)
open Figures

let () =
  keep (list 10_000);
  let s = quick () in
  let minor, _, _ = Gc.counters () in
  figure "quick_stat_minor_words" s.minor_words;
  figure "counters_minor_words" minor
