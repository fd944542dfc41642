(* SPDX-License-Identifier: MIT *)
(* An explicit full major of a heap of 330 MB: 6 M records that refer to each other at random, first and second time. *)
open Figures

type cell = { mutable a : cell option; mutable b : cell option; n : int }

let () =
  let cells = Array.init 6_000_000 (fun n -> { a = None; b = None; n }) in
  Random.init 1;
  Array.iter (fun c -> c.a <- Some cells.(Random.int 6_000_000)) cells;
  Gc.full_major ();
  figure "full_major_s" (processor Gc.full_major);
  figure "full_major_again_s" (processor Gc.full_major);
  keep cells
