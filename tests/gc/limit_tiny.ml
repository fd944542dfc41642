(* SPDX-License-Identifier: MIT *)
(* FIELD M10. A limit that is not much larger than a nursery: the program's cycles follow each other then, and it is told all the same. *)
(* runparam: Xlimit=4M,V=1 *)
(* variants: none *)
let fill () =
  let l = ref [] and n = ref 0 in
  match while !n < 2_000_000 do l := ref !n :: !l; incr n done with
  | () -> !n
  | exception Out_of_memory -> !n

let () =
  let before = (Gc.stat ()).Gc.live_words in
  for round = 1 to 3 do
    let name s = Printf.sprintf "%s, round %d" s round in
    (* Five words each; up to a nursery more than the limit. *)
    Check.between (name "told at the limit") 50_000 (5 * 1024 * 1024 / 8 / 5 + 256 * 1024 / 5) (fill ());
    Check.between (name "what was dropped is gone") 0 (before + 1000) (Gc.stat ()).Gc.live_words
  done
