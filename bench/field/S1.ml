(* SPDX-License-Identifier: MIT *)
(* A compaction subtracts the garbage of the pools that it empties. Three domains allocate and drop while one compacts 20 times. *)
open Figures

let stop = Atomic.make false

let churn () =
  let ring = Array.make 30_000 [] and i = ref 0 in
  while not (Atomic.get stop) do
    i := ((!i * 1103515245) + 12345) land 0x3fffffff;
    ring.(!i mod 30_000) <- [ !i; 1 ]
  done

let () =
  let helpers = List.init 3 (fun _ -> Domain.spawn churn) in
  let lowest = ref max_int and wrong = ref 0 in
  for _ = 1 to 20 do
    Gc.compact ();
    let s = quick () in
    lowest := min !lowest s.free_words;
    if s.heap_words <> s.live_words + s.free_words + s.fragments || s.free_words < 0 || s.live_words > s.heap_words then incr wrong
  done;
  Atomic.set stop true;
  List.iter Domain.join helpers;
  count "lowest_free_words" !lowest;
  count "wrong_of_20" !wrong
