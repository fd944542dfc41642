(* SPDX-License-Identifier: MIT *)
(* Hashing: tables by integers, strings, tuples and records; a functorial one; memory of earlier results; words counted. *)
module Ints = Hashtbl.Make (struct type t = int let equal (a : int) b = a = b let hash n = n land max_int end)
type key = { name : string; at : int * int; kind : [ `A | `B of float ] }

let memo_fib n =
  let known = Hashtbl.create 16 in
  let rec fib n =
    if n < 2 then n
    else
      match Hashtbl.find_opt known n with
      | Some r -> r
      | None ->
          let r = (fib (n - 1) + fib (n - 2)) land 0xffff_ffff in
          Hashtbl.add known n r;
          r
  in
  fib n

let words = Array.init 2_000 (fun i -> "word" ^ string_of_int (i * i * 7919 land 0xffff) ^ String.make (i land 7) 'z')

let () =
  let sum = ref 0 in
  let add n = sum := (!sum + n) land 0xffff_ffff in
  let ints = Hashtbl.create 100 in
  for i = 1 to 200_000 do Hashtbl.replace ints (i * 7 land 0x7fff) i done;
  for i = 1 to 300_000 do match Hashtbl.find ints i with n -> add n | exception Not_found -> () done;
  let counts = Hashtbl.create 100 in
  for i = 1 to 200_000 do
    let w = words.(i * 31 mod 2_000) in
    Hashtbl.replace counts w (1 + try Hashtbl.find counts w with Not_found -> 0)
  done;
  Hashtbl.iter (fun w n -> add (n * String.length w)) counts;
  let pairs = Hashtbl.create 100 in
  for i = 1 to 150_000 do Hashtbl.replace pairs (i land 127, i mod 99) i done;
  add (Hashtbl.fold (fun (a, b) n s -> (a * b) + n + s) pairs 0);
  let records = Hashtbl.create 100 in
  for i = 1 to 80_000 do
    let k = { name = words.(i land 255); at = (i land 15, i land 7); kind = (if i land 1 = 0 then `A else `B (float_of_int (i land 31))) } in
    if not (Hashtbl.mem records k) then Hashtbl.add records k i
  done;
  add (Hashtbl.length records);
  let fast = Ints.create 100 in
  for i = 1 to 400_000 do Ints.replace fast (i * 13 land 0x3fff) i done;
  Ints.iter (fun k n -> add (k lxor n)) fast;
  for i = 1 to 200 do add (memo_fib (400 + i)) done;
  for i = 1 to 200_000 do add (Hashtbl.hash (i, [ i; i + 1 ], "tail") + Hashtbl.hash (float_of_int i) + Hashtbl.hash words.(i mod 2_000)) done;
  for i = 1 to 60_000 do Hashtbl.remove ints i done;
  Hashtbl.filter_map_inplace (fun w n -> if String.length w land 1 = 0 then Some (n + 1) else None) counts;
  add (Hashtbl.length ints + Hashtbl.length counts + (Hashtbl.stats pairs).num_bindings);
  Printf.printf "%d\n" !sum
