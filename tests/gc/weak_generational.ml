(* SPDX-License-Identifier: MIT *)
(* variants: none *)
(* Tables of a million short-lived keys promote next to nothing (FIELD W1). *)
let promoted f =
  Gc.full_major ();
  let before = (Gc.quick_stat ()).promoted_words in
  f ();
  Gc.minor ();
  int_of_float ((Gc.quick_stat ()).promoted_words -. before)

let weak_array () =
  let w = Weak.create 1000 in
  for i = 1 to 1_000_000 do Weak.set w (i mod 1000) (Some (ref i)) done

let ephemerons () =
  let e = Array.init 1000 (fun _ -> Ephemeron.K1.make (ref 0) (ref 0)) in
  for i = 1 to 1_000_000 do
    let k = ref i in
    let e = Obj.magic e.(i mod 1000) in
    Obj.Ephemeron.unset_data e;
    Obj.Ephemeron.set_key e 0 (Obj.repr k);
    Obj.Ephemeron.set_data e (Obj.repr (Array.make 10 k))
  done

module T = Ephemeron.K1.Make (struct type t = int ref let equal = ( == ) let hash r = !r end)
let table () =
  let t = T.create 1000 in
  for i = 1 to 100_000 do T.replace t (ref i) (Array.make 30 i); if i mod 1000 = 0 then T.reset t done

module S = Weak.Make (struct type t = int ref let equal a b = !a = !b let hash r = !r end)
let set () =
  let s = S.create 1000 in
  for i = 1 to 1_000_000 do ignore (S.merge s (ref (i mod 100_000))) done

let () =
  (* Promotion of even one word for each key would be a million. *)
  Check.between "a weak array" 0 20_000 (promoted weak_array);
  Check.between "ephemerons with eleven words of data" 0 20_000 (promoted ephemerons);
  (* The table's own buckets are ordinary blocks: of 100,000 times 31 words of data none is promoted. *)
  Check.between "a table of Ephemeron.K1" 0 600_000 (promoted table);
  Check.between "a weak hash set" 0 1_500_000 (promoted set)
