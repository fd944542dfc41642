(* SPDX-License-Identifier: MIT *)
(* variants: none *)
(* FIELD M9: Gc.major_slice advances the cycle and ends it, whatever its argument. *)
let cycles () = (Gc.quick_stat ()).Gc.major_collections
let kept = Array.init 200_000 (fun i -> ref (string_of_int i))

(* Calls until [cycles] more cycles are done; at most [most]. *)
let calls n more most =
  let goal = cycles () + more in
  let rec go k = if cycles () >= goal || k >= most then k else (ignore (Gc.major_slice n); go (k + 1)) in
  go 0

let () =
  List.iter
    (fun (n, most) -> Check.between (Printf.sprintf "cycles by slices of %d" n) 1 (most - 1) (calls n 3 most))
    [ (0, 1000); (1000, 20_000); (100_000, 300); (-1, 1000) ];
  Gc.full_major ();
  Check.int "a slice of max_int is a cycle" 1 (calls max_int 1 10);
  Check.int "each of them is one" 5 (calls max_int 5 100);
  Check.int "it answers 0" 0 (Gc.major_slice 10);
  let before = (Gc.quick_stat ()).Gc.minor_collections in
  ignore (Gc.major_slice 1);
  Check.int "it does a minor collection" (before + 1) (Gc.quick_stat ()).Gc.minor_collections;
  Check.it "what is reachable stays" (Array.for_all (fun r -> !r <> "") kept)

(* A slice of n words is to free about n words: over whole cycles, as much is allocated as is freed. *)
let () =
  let few = calls 200_000 4 100_000 and many = calls 20_000 4 100_000 in
  Check.it "smaller slices take more calls" (many > 4 * few)
