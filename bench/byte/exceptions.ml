(* SPDX-License-Identifier: MIT *)
(* Exceptions: raised far away and nearby, with and without a value, through handlers that pass them on, and by the library. *)
exception Found of int
exception Fail
exception Other of string * int

let rec down n = if n = 0 then raise Fail else 1 + down (n - 1)

let index_of x a =
  try
    Array.iteri (fun i y -> if x = y then raise (Found i)) a;
    -1
  with Found i -> i

(* Backtracking: queens by trial, each dead end an exception. *)
let safe placed row column = List.for_all (fun (r, c) -> c <> column && abs (c - column) <> abs (r - row)) placed

let rec place n row placed =
  if row = n then placed
  else
    let rec try_from column =
      if column = n then raise_notrace Fail
      else if safe placed row column then try place n (row + 1) ((row, column) :: placed) with Fail -> try_from (column + 1)
      else try_from (column + 1)
    in
    try_from 0

let pass_on depth f =
  let rec go depth = if depth = 0 then f () else try go (depth - 1) with Not_found -> 0 | Other (_, n) when n < 0 -> n in
  go depth

let checked i =
  try
    let n = if i land 1 = 0 then int_of_string "12x" else List.assoc i [ (1, 2); (3, 4) ] in
    n + (100 / (i land 3))
  with Failure _ -> 1 | Not_found -> 2 | Division_by_zero -> 3

let protected i = try Fun.protect ~finally:(fun () -> ignore i) (fun () -> if i land 1 = 0 then raise (Other ("even", i)) else i) with Other (_, n) -> -n

let () =
  let sum = ref 0 in
  let add n = sum := !sum + n in
  for i = 1 to 30_000 do
    add (try down (i land 63) with Fail -> i)
  done;
  let a = Array.init 100 (fun i -> i * i) in
  for i = 1 to 20_000 do
    add (index_of (i * i mod 8100) a)
  done;
  for n = 4 to 19 do
    add (try List.fold_left (fun s (r, c) -> s + (r * c)) 0 (place n 0 []) with Fail -> n)
  done;
  for i = 1 to 100_000 do
    add (try pass_on (i land 15) (fun () -> raise (Other ("far", i))) with Other (_, n) -> n)
  done;
  for i = 1 to 300_000 do
    add (checked i)
  done;
  for i = 1 to 200_000 do
    add (protected i)
  done;
  for i = 1 to 3_000_000 do
    try if i land 7 = 0 then raise Exit with Exit -> add 1
  done;
  Printf.printf "%d\n" !sum
