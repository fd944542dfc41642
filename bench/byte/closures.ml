(* SPDX-License-Identifier: MIT *)
(* Closures: functions that are made, kept in lists, composed and called: streams, parsers, continuations, iterators. *)
let compose f g x = f (g x)

(* Streams whose tails are functions. *)
type stream = Cons of int * (unit -> stream)

let rec from n = Cons (n, fun () -> from (n + 1))
let rec map f (Cons (x, rest)) = Cons (f x, fun () -> map f (rest ()))
let rec filter p (Cons (x, rest)) = if p x then Cons (x, fun () -> filter p (rest ())) else filter p (rest ())
let rec take_sum n acc (Cons (x, rest)) = if n = 0 then acc else take_sum (n - 1) (acc + x) (rest ())

(* Parsers of sums and products, as functions of a position. *)
let text = "(1+2*3)*(4+5)+6*(7+8*(9+1))+2*3*4+(5+(6+(7+8)))"
let ( let* ) p f pos = match p pos with Some (x, next) -> f x next | None -> None
let return x pos = Some (x, pos)
let satisfy f pos = if pos < String.length text && f text.[pos] then Some (text.[pos], pos + 1) else None
let char c = satisfy (fun d -> d = c)
let either p q pos = match p pos with Some _ as r -> r | None -> q pos

let rec many_left p op acc =
  either
    (let* combine = op in
     let* x = p in
     many_left p op (combine acc x))
    (return acc)

let digit = let* c = satisfy (fun c -> c >= '0' && c <= '9') in return (Char.code c - 48)
let operator c f = let* _ = char c in return f
let rec sum pos = (let* x = product in many_left product (operator '+' ( + )) x) pos
and product pos = (let* x = atom in many_left atom (operator '*' ( * )) x) pos
and atom pos = either digit (let* _ = char '(' in let* x = sum in let* _ = char ')' in return x) pos

(* Continuations: the leaves of a tree, summed without the stack. *)
type tree = Leaf of int | Node of tree * tree

let rec build depth n = if depth = 0 then Leaf n else Node (build (depth - 1) (2 * n), build (depth - 1) ((2 * n) + 1))
let rec sum_k tree k = match tree with Leaf n -> k n | Node (a, b) -> sum_k a (fun x -> sum_k b (fun y -> k (x + y)))

(* Counters that share what they capture. *)
let counter step =
  let n = ref 0 in
  ((fun () -> n := !n + step), fun () -> !n)

let () =
  let total = ref 0 in
  let add x = total := (!total + x) land 0xffff_ffff in
  add (take_sum 400_000 0 (filter (fun n -> n land 1 = 0) (map (compose (( * ) 3) (( + ) 1)) (from 1))));
  for _ = 1 to 8_000 do
    match sum 0 with Some (n, _) -> add n | None -> assert false
  done;
  let tree = build 12 1 in
  for _ = 1 to 100 do
    sum_k tree add
  done;
  let counters = List.init 1_000 counter in
  for _ = 1 to 1_000 do
    List.iter (fun (tick, _) -> tick ()) counters
  done;
  List.iter (fun (_, read) -> add (read ())) counters;
  let pipeline = List.fold_left compose Fun.id (List.init 200 (fun i x -> (x * 31) + i)) in
  for i = 1 to 10_000 do
    add (pipeline i land 0xffff)
  done;
  add (Seq.fold_left ( + ) 0 (Seq.take 500_000 (Seq.filter (fun n -> n mod 3 = 0) (Seq.map (fun n -> n * n) (Seq.ints 1)))));
  Printf.printf "%d\n" !total
