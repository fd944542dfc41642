(* SPDX-License-Identifier: MIT *)
(* FIELD M10. Small blocks reach Xlimit: Out_of_memory can be caught, once for each sixteenth of the limit, and the program
   goes on when it has dropped what it held. *)
(* runparam: Xlimit=12M,s=8k,V=1 *)
(* variants: none *)
let held = ref []
let words () = (Gc.stat ()).Gc.live_words
let kilobytes n = n * 1024 / 8

let fill () =
  let n = ref 0 in
  match while true do held := !n :: !held; incr n done with
  | () -> 0
  | exception Out_of_memory -> !n

(* Cells of three words; when it is told, all but the first ones go. Answers how often it was told. *)
let churn total ~every ~keep =
  let told = ref 0 and l = ref [] in
  for i = 1 to total do
    match l := i :: !l; if i mod every = 0 then l := List.filteri (fun i _ -> i < keep) !l with
    | () -> ()
    | exception Out_of_memory -> incr told; l := []
  done;
  !told

let () =
  let before = words () in
  for round = 1 to 3 do
    let name s = Printf.sprintf "%s, round %d" s round in
    let cells = fill () in
    Check.between (name "the limit is used up, and not passed by much") (kilobytes 9_000) (kilobytes 13_000) (3 * cells);
    (* The handler has a reserve. *)
    let copy = List.map succ (List.filteri (fun i _ -> i < 5000) !held) in
    Check.int (name "the handler can allocate") 5000 (List.length copy);
    Check.report (name "what was held is whole") (List.length !held = cells && List.hd !held = cells - 1) "it is not";
    held := [];
    Check.between (name "what was dropped is gone") 0 (before + kilobytes 500) (words ())
  done;
  (* Each collection is the program's own: the nursery is never full. *)
  Check.raises "Gc.minor all the time" Out_of_memory
    (fun () -> for i = 1 to 1_000_000 do held := i :: !held; if i land 1023 = 0 then Gc.minor () done);
  held := [];
  Check.int "a program that stays below the limit is not told" 0 (churn 2_000_000 ~every:50_000 ~keep:100_000);
  Check.between "one that needs it all is told each time it has grown" 2 4 (churn 2_000_000 ~every:max_int ~keep:0);
  Check.between "the heap's top is the limit, the reserve and a little" 0 (kilobytes 14_000) (Gc.quick_stat ()).Gc.top_heap_words
