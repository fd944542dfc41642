(* SPDX-License-Identifier: MIT *)
(* variants: none *)
(* Chains, each key the data of the one before, cost time linear in their length (FIELD W2): a collector
   that goes by rounds does not get done with these. *)
module E = Ephemeron.K1

let is_whole ephes first n =
  let rec go i k = if i = n then true else match E.query ephes.(i) k with Some d -> go (i + 1) d | None -> false in
  go 0 first

(* [place i]: where the i-th of the chain stands in the array, hence when it is found. *)
let[@inline never] check name n place =
  let keys = Array.init (n + 1) (fun i -> ref i) in
  let ephes = Array.init n (fun j -> let i = place j in E.make keys.(i) keys.(i + 1)) in
  let first = keys.(0) in
  Array.fill keys 0 (n + 1) first;
  Gc.full_major ();
  let in_order = Array.make n ephes.(0) in
  Array.iteri (fun j e -> in_order.(place j) <- e) ephes;
  Check.it (name ^ ": whole while the first key lives") (is_whole in_order first n);
  in_order

let[@inline never] dead e = Array.for_all (fun e -> not (Obj.Ephemeron.check_data (Obj.magic e))) e

let () =
  let n = if Sys.getenv_opt "MODE" = Some "release" then 300_000 else 30_000 in
  let a = check "forwards" n Fun.id in
  let b = check "backwards" n (fun j -> n - 1 - j) in
  let c = check "shuffled" n (fun j -> j * 7919 mod n) in
  Gc.full_major ();
  Check.it "gone with the first key" (dead a && dead b && dead c);
  (* Two keys, of which the second is found last. *)
  let module E2 = Ephemeron.K2 in
  let keys = Array.init (n + 1) (fun i -> ref i) in
  let e = Array.init n (fun j -> let i = n - 1 - j in E2.make keys.(0) keys.(i) keys.(i + 1)) in
  let first = keys.(0) in
  Array.fill keys 0 (n + 1) first;
  Gc.full_major ();
  Check.it "with two keys" (E2.query e.(n - 1) first first <> None && Array.for_all (fun e -> Obj.Ephemeron.check_data (Obj.magic e)) e);
  ignore (Sys.opaque_identity (first, e))
