(* SPDX-License-Identifier: MIT *)
(* Deep recursion: a million calls deep, each of which allocates; beside the same allocation in a loop. *)
open Figures

let rec deep n = if n = 0 then 0 else let l = list 20 in let r = deep (n - 1) in r + List.length l
let rec flat n = if n = 0 then 0 else let l = list 20 in keep (List.length l); flat (n - 1)

let () =
  let shallow = processor (fun () -> keep (flat 1_000_000)) in
  let down = processor (fun () -> keep (deep 1_000_000)) in
  figure "cpu_s" down;
  figure "deep_to_flat" (down /. shallow)
