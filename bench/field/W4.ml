(* SPDX-License-Identifier: MIT *)
(* Weak hash-consing: 400,000 nodes in a weak set, which live, and others that come and go; the longest pause. *)
open Figures

module Set = Weak.Make (struct
  type t = int * int list
  let equal (a, _) (b, _) = a = b
  let hash (a, _) = a * 7919 land max_int
end)

module E = Ephemeron.K1

let () =
  let set = Set.create 2_000_000 in
  let kept = Array.init 400_000 (fun i -> Set.merge set (i, list 3)) in
  let ephes = Array.map (fun node -> E.make node (list 3)) kept in
  Gc.full_major ();
  restart ();
  let cpu = processor (fun () -> for i = 1 to 500_000 do keep (Set.merge set (400_000 + (i * 31 land 0xffff), list 10)); look () done) in
  keep (kept, ephes);
  pause ();
  figure "cpu_s" cpu
