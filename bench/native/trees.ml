(* SPDX-License-Identifier: MIT *)
(* Binary trees: one stays, many short-lived ones of all depths are made and counted. *)
type tree = Leaf | Node of tree * tree

let rec make depth = if depth = 0 then (Probe.pass (); Leaf) else Node (make (depth - 1), make (depth - 1))
let rec count = function Leaf -> 1 | Node (a, b) -> 1 + count a + count b

let () =
  let long_lived = make 19 in
  let total = ref 0 in
  for _ = 1 to Probe.scale 70 do
    for depth = 4 to 16 do
      for _ = 1 to 1 lsl (17 - depth) do
        total := !total + count (make depth)
      done
    done
  done;
  Probe.finish (!total + count long_lived)
