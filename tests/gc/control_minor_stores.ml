(* SPDX-License-Identifier: MIT *)
(* runparam: s=4M *)
(* variants: none *)
(* A large minor heap is as large for a program that stores what is young into what is old: fields and ephemerons are remembered in
   proportion to it, and what is replaced in time is not promoted. Stages of a major cycle end with a minor collection: two may come in between. *)
let minors () = (Gc.quick_stat ()).Gc.minor_collections
let promoted () = (Gc.quick_stat ()).Gc.promoted_words

let stores name n store =
  Gc.minor ();
  let minors_before = minors () and before = promoted () in
  for k = 1 to 600_000 do store (k mod n) k done;
  Check.between (name ^ ": minor collections") 0 3 (minors () - minors_before);
  Gc.minor ();
  Check.between (name ^ ": promoted words") 0 (8 * n) (int_of_float (promoted () -. before))

let () =
  let n = 100_000 in
  let a = Array.make n [] in
  stores "fields" n (fun i k -> a.(i) <- [ k; k ]);
  let w = Weak.create n in
  stores "weak pointers" n (fun i k -> Weak.set w i (Some (ref k)));
  ignore (Sys.opaque_identity (a, w))
