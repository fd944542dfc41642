(* SPDX-License-Identifier: MIT *)
(* Promotion: nearly all that is allocated survives the nursery and dies later: trees, lists, lazies, in bytecode. *)
open Figures

type tree = Leaf | Node of tree * int * tree

let rec tree d = if d = 0 then Leaf else Node (tree (d - 1), d, tree (d - 1))

let () =
  let slots = Array.make 400 (Obj.repr 0) in
  for i = 1 to 4_000 do
    let v = if i mod 3 = 0 then Obj.repr (tree 10) else if i mod 3 = 1 then Obj.repr (list 1500) else Obj.repr (Array.init 250 (fun j -> lazy (i + j))) in
    slots.(i * 7919 mod 400) <- v
  done;
  keep slots;
  let s = quick () in
  figure "promoted_to_minor" (s.promoted_words /. s.minor_words)
