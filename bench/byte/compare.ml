(* SPDX-License-Identifier: MIT *)
(* Polymorphic comparison: of integers in disguise, floats, strings, tuples, lists, variants, nested and shared. *)
type shape = Point | Circle of float | Box of int * int | Named of string * shape

let random = let state = ref 17 in fun bound -> state := ((!state * 1103515245) + 12345) land 0x3fff_ffff; !state lsr 8 mod bound

let rec shape depth =
  match random 4 with
  | 0 -> Point
  | 1 -> Circle (float_of_int (random 100))
  | 2 -> Box (random 10, random 10)
  | _ -> if depth = 0 then Point else Named (string_of_int (random 1000), shape (depth - 1))

let rec insert x = function [] -> [ x ] | y :: rest as all -> if x <= y then x :: all else y :: insert x rest
let count p l = List.length (List.filter p l)

module Set_of (T : sig type t end) = Set.Make (struct type t = T.t let compare = compare end)
module Pairs = Set_of (struct type t = int * string end)

let () =
  let sum = ref 0 in
  let add n = sum := (!sum + n) land 0xffff_ffff in
  let sort_and_add l = add (count (fun x -> x = List.hd l) (List.sort compare l)) in
  for _ = 1 to 6 do
    sort_and_add (List.init 8_000 (fun _ -> random 5_000));
    sort_and_add (List.init 8_000 (fun _ -> float_of_int (random 5_000)));
    sort_and_add (List.init 8_000 (fun _ -> string_of_int (random 5_000)));
    sort_and_add (List.init 8_000 (fun _ -> (random 50, random 50)));
    sort_and_add (List.init 4_000 (fun _ -> List.init (random 8) (fun _ -> random 3)));
    sort_and_add (List.init 4_000 (fun _ -> shape 4));
    sort_and_add (List.init 4_000 (fun _ -> Int64.of_int (random 1000)));
    sort_and_add (List.init 4_000 (fun _ -> (Some (random 4), [| random 3; random 3 |], "tail")))
  done;
  let pairs = List.init 4_000 (fun _ -> (random 200, string_of_int (random 20))) in
  add (Pairs.cardinal (List.fold_left (fun s p -> if Pairs.mem p s then Pairs.remove p s else Pairs.add p s) Pairs.empty (pairs @ List.rev pairs @ pairs)));
  add (List.length (List.fold_left (fun l x -> insert (x, ()) l) [] (List.init 600 (fun _ -> random 10_000))));
  let l = List.init 300 (fun i -> (string_of_int i, i)) in
  for i = 1 to 1_000 do
    add (List.assoc (string_of_int (i mod 300)) l);
    if List.mem ("no", i) l then add 1
  done;
  let big = List.init 20_000 (fun i -> (i, [ string_of_int i ])) in
  let same = List.map (fun (i, s) -> (i, List.map Fun.id s)) big in
  for _ = 1 to 20 do
    if big = same then add 1;
    add (compare big same)
  done;
  for i = 1 to 300_000 do
    add (max i (random 100));
    if min (Some i) None = None then add 1
  done;
  Printf.printf "%d\n" !sum
