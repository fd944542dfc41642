(* SPDX-License-Identifier: MIT *)
(* native: no part of statics.ml *)
let cells = Array.make 100 None
let last = ref None
let name = Printf.sprintf "unit-%d" 7
let fill n = for i = 0 to n - 1 do cells.(i) <- Some (ref i); last := cells.(i) done
let sum () = Array.fold_left (fun acc c -> match c with None -> acc | Some r -> acc + !r) 0 cells
