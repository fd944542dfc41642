(* SPDX-License-Identifier: MIT *)
(* What ephemerons' data reach is not promoted with their keys dead: a million entries of 30 words whose keys die young. *)
open Figures

let () =
  let slots = Array.init 1000 (fun _ -> Ephemeron.K1.make (ref 0) []) in
  Gc.full_major ();
  let before = (quick ()).promoted_words in
  let cpu = processor (fun () -> for i = 1 to 1_000_000 do slots.(i mod 1000) <- Ephemeron.K1.make (ref i) (list 10) done) in
  figure "promoted_words" ((quick ()).promoted_words -. before);
  figure "cpu_s" cpu
