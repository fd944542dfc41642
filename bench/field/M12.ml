(* SPDX-License-Identifier: MIT *)
(* Small heaps: deep lazies (0.2 MB live) and term rewriting (1 MB live), 25 M words promoted at the most. *)
open Figures

let rec chain n v = if n = 0 then v else chain (n - 1) (lazy (Lazy.force v + 1))

type term = Leaf of int | Node of term * term

let rec make depth i = if depth = 0 then Leaf i else Node (make (depth - 1) i, make (depth - 1) (i + 1))
let rec rewrite = function Leaf i -> Leaf (i + 1) | Node (a, b) -> Node (rewrite b, rewrite a)

let phase name f =
  let before = cycles () in
  f ();
  count ("cycles_" ^ name) (cycles () - before)

let () =
  phase "lazies" (fun () -> for _ = 1 to 2_000 do keep (Lazy.force (chain 5_000 (lazy 0))) done);
  phase "terms" (fun () -> let t = ref (make 15 0) in for _ = 1 to 100 do t := rewrite !t done; keep !t)
