(* SPDX-License-Identifier: MIT *)
(* A random mutable graph, walked against its model, across collections of all kinds. *)
type node = { id : int; mutable out : node array; mutable tag : string; mutable weight : float }
let () =
  let rng = Random.State.make [| 2024 |] in
  let n = 2000 in
  let make id = { id; out = [||]; tag = string_of_int id; weight = float id } in
  let nodes = Array.init n make and model = Array.make n [] in
  for step = 1 to 60_000 do
    let i = Random.State.int rng n in
    match Random.State.int rng 6 with
    | 0 -> let j = Random.State.int rng n in nodes.(i).out <- Array.append nodes.(i).out [| nodes.(j) |]; model.(i) <- j :: model.(i)
    | 1 -> nodes.(i).out <- [||]; model.(i) <- []
    | 2 -> nodes.(i).tag <- String.concat "" [ string_of_int i; "" ]
    | 3 -> nodes.(i).weight <- float i +. 0.
    | 4 -> ignore (Array.make (Random.State.int rng 2000) step)
    | _ -> if step mod 10_000 = 0 then Gc.compact () else if step mod 997 = 0 then Gc.full_major () else if step mod 101 = 0 then Gc.minor ()
  done;
  let bad = ref 0 and edges = ref 0 in
  Array.iteri (fun i node ->
      if node.id <> i || node.tag <> string_of_int i || node.weight <> float i then incr bad;
      let ids = List.rev model.(i) in
      edges := !edges + List.length ids;
      if Array.to_list (Array.map (fun m -> m.id) node.out) <> ids then incr bad) nodes;
  Printf.printf "%d edges, %d bad\n" !edges !bad
