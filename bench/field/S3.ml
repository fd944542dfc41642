(* SPDX-License-Identifier: MIT *)
(* Counters while domains come and go: 100 domains of 30,000 words each, all promoted, a compaction at every tenth; another domain reads.
   A reading is wrong if promoted words are more than minor or major words, or a counter has fallen. *)
open Figures

let over = Atomic.make false

let read () =
  let all = ref 0 and wrong = ref 0 and last = ref (quick ()) in
  while not (Atomic.get over) do
    let s = quick () in
    incr all;
    if s.promoted_words > s.minor_words || s.promoted_words > s.major_words
       || s.minor_words < !last.minor_words || s.major_words < !last.major_words || s.promoted_words < !last.promoted_words
    then incr wrong;
    last := s
  done;
  1000. *. float_of_int !wrong /. float_of_int !all

let () =
  let kept = Atomic.make [] in
  let reader = Domain.spawn read in
  let mine () = let minor, _, _ = Gc.counters () in minor in
  let before = mine () in
  for i = 1 to 100 do
    Domain.join (Domain.spawn (fun () -> Atomic.set kept (list 10_000)));
    if i mod 10 = 0 then Gc.compact ()
  done;
  figure "parents_counters_grow_by" (mine () -. before);
  Atomic.set over true;
  figure "wrong_of_1000_readings" (Domain.join reader)
