(* SPDX-License-Identifier: MIT *)
(* Map and Set against a naive model. *)
module IM = Map.Make (Int)
module IS = Set.Make (Int)
module SM = Map.Make (String)
let () =
  let rng = Random.State.make [| 42 |] in
  let m = ref IM.empty and model = Array.make 500 None in
  for i = 1 to 20_000 do
    let k = Random.State.int rng 500 in
    if Random.State.bool rng then (m := IM.add k i !m; model.(k) <- Some i) else (m := IM.remove k !m; model.(k) <- None)
  done;
  Array.iteri (fun k v -> if IM.find_opt k !m <> v then Printf.printf "mismatch %d\n" k) model;
  Printf.printf "%d %d\n" (IM.cardinal !m) (IM.fold (fun k v a -> (a + (k * v)) mod 1_000_003) !m 0);
  let a = IS.of_list (List.init 100 (fun i -> i * 2)) and b = IS.of_list (List.init 100 (fun i -> i * 3)) in
  Printf.printf "%d %d %d %b %d\n" (IS.cardinal (IS.union a b)) (IS.cardinal (IS.inter a b)) (IS.cardinal (IS.diff a b)) (IS.subset (IS.inter a b) a) (compare a b);
  Printf.printf "%d %d %d\n" (IS.min_elt a) (IS.max_elt a) (IS.choose b);
  let l, p, r = IS.split 50 a in
  Printf.printf "%d %b %d\n" (IS.cardinal l) p (IS.cardinal r);
  let s = List.fold_left (fun m w -> SM.update w (function None -> Some 1 | Some n -> Some (n + 1)) m) SM.empty (String.split_on_char ' ' "a b a c b a") in
  SM.iter (Printf.printf "%s%d ") s; print_newline ();
  let merged = SM.merge (fun _ x y -> match (x, y) with Some a, Some b -> Some (a + b) | Some a, None -> Some a | None, y -> y) s (SM.singleton "z" 9) in
  SM.iter (Printf.printf "%s%d ") merged; print_newline ();
  (try ignore (SM.find "q" s) with Not_found -> print_endline "Not_found");
  Printf.printf "%b %b\n" (IM.equal ( = ) !m !m) (IS.equal (IS.of_seq (IS.to_seq a)) a);
  IM.iter (fun k _ -> if k < 20 then Printf.printf "%d " k) (IM.filter (fun k _ -> k mod 2 = 0) !m); print_newline ()
