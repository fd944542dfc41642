(* SPDX-License-Identifier: MIT *)
(* Ephemerons: data lives as long as the keys; chains; tables. *)
module E = Ephemeron.K1
module T = Ephemeron.K1.Make (struct type t = string ref let equal = ( == ) let hash r = Hashtbl.hash !r end)
let () =
  let k = ref "key" in
  let e = E.make k (ref 42) in
  Gc.full_major (); Printf.printf "%s\n" (match E.query e k with Some r -> string_of_int !r | None -> "none");
  Printf.printf "%b\n" (E.query e (ref "key") = None);
  let dead = E.make (ref "dead") (ref 1) in
  let probe = Weak.create 1 in
  (match E.query dead (ref "dead") with None -> () | Some r -> Weak.set probe 0 (Some r));
  Gc.full_major ();
  Printf.printf "%b\n" (Weak.check probe 0);
  let t = T.create 16 in
  let keys = Array.init 50 (fun i -> ref (string_of_int i)) in
  Array.iteri (fun i k -> T.add t k (i, k)) keys;
  for i = 0 to 49 do T.add t (ref ("temp" ^ string_of_int i)) (i, ref "") done;
  Gc.full_major ();
  T.clean t;
  Printf.printf "%d %d\n" (T.length t) (fst (T.find t keys.(7)));
  let chain = Array.init 100 (fun i -> ref (string_of_int i)) in
  let ephes = Array.init 99 (fun i -> E.make chain.(i) chain.(i + 1)) in
  let last = Weak.create 1 in
  Weak.set last 0 (Some chain.(99));
  let first = chain.(0) in
  Array.fill chain 0 100 (ref "");
  Gc.full_major ();
  let rec walk i k = match if i < 99 then E.query ephes.(i) k else None with Some n -> walk (i + 1) n | None -> i in
  Printf.printf "%d %b\n" (walk 0 first) (Weak.check last 0);
  let module K2 = Ephemeron.K2 in
  let a = ref "a" and b = ref "b" in
  let e2 = K2.make a b "data" in
  Gc.full_major (); Printf.printf "%b %b
" (K2.query e2 a b = Some "data") (K2.query e2 b a = None);
  let arr = Array.init 5 (fun i -> ref (string_of_int i)) in
  let en = Ephemeron.Kn.make arr 99 in
  Gc.full_major (); Printf.printf "%b
" (Ephemeron.Kn.query en arr = Some 99);
  ignore (Sys.opaque_identity (k, first))
