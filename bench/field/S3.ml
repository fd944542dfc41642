(* SPDX-License-Identifier: MIT *)
(* Counters of domains that have ended are in the sums, at once: 20 domains of 300,000 words each, all promoted. *)
open Figures

let () =
  let kept = Atomic.make [] and wrong = ref 0 in
  Gc.full_major ();
  let before = quick () in
  for i = 1 to 20 do
    Domain.join (Domain.spawn (fun () -> Atomic.set kept (list 100_000)));
    let s = quick () in
    if s.promoted_words > s.minor_words || s.promoted_words > s.major_words || s.minor_words -. before.minor_words < float_of_int i *. 3e5 then incr wrong
  done;
  let counted = (quick ()).minor_words -. before.minor_words in
  figure "counted_of_6M_words" counted;
  count "wrong_of_20" !wrong
