(* SPDX-License-Identifier: MIT *)
(* A program that promotes nothing has no major cycles, whatever it promoted before. *)
(* variants: none *)
let held = ref []
let minors () = (Gc.quick_stat ()).Gc.minor_collections
let cycles () = (Gc.quick_stat ()).Gc.major_collections

(* Nurseries full of what survives, then none of which anything does. *)
let () =
  for i = 1 to 1_000_000 do held := ref i :: !held done;
  held := [];
  Gc.full_major ();
  let minors_before = minors () in
  let cycles_before = cycles () in
  for i = 1 to 3_000_000 do ignore (Sys.opaque_identity (ref i)) done;
  Check.between "major cycles" 0 1 (cycles () - cycles_before);
  Check.between "minor collections: one for each nursery" 22 25 (minors () - minors_before)
