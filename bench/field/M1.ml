(* SPDX-License-Identifier: MIT *)
(* Memory growth: a table of terms is built and rewritten, 60 MB live; what the process held at most. *)
open Figures

type term = Leaf of int | Node of term * term

let rec make depth i = if depth = 0 then Leaf i else Node (make (depth - 1) i, make (depth - 1) (i + 1))
let rec rewrite = function Leaf i -> Leaf (i + 1) | Node (a, b) -> Node (rewrite b, rewrite a)

let () =
  let terms = Array.init 600 (fun i -> make 11 i) in
  for i = 1 to 9_000 do
    let at = i * 7919 mod 600 in
    terms.(at) <- rewrite terms.(at)
  done;
  count "cycles" (cycles ());
  keep terms
