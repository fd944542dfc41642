(* SPDX-License-Identifier: MIT *)
(* Recursive values and functions; tail calls do not use stack. *)
type t = { v : int; self : t }
let rec ones = 1 :: ones
let rec a = { v = 1; self = b } and b = { v = 2; self = a }
let rec f = function 0 -> [] | n -> n :: g (n - 1) and g = function 0 -> [] | n -> -n :: h (n - 1) and h n = f n
let rec loop n acc = if n = 0 then acc else loop (n - 1) (acc + n)
let rec mutual1 n = if n = 0 then "end1" else mutual2 (n - 1) and mutual2 n = if n = 0 then "end2" else mutual3 (n - 1) 1 2 3 4 5 and mutual3 n _ _ _ _ _ = mutual1 n
let rec ack m n = if m = 0 then n + 1 else if n = 0 then ack (m - 1) 1 else ack (m - 1) (ack m (n - 1))
let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)
let rec tak x y z = if y >= x then z else tak (tak (x - 1) y z) (tak (y - 1) z x) (tak (z - 1) x y)
let rec hanoi n a b c = if n = 0 then 0 else hanoi (n - 1) a c b + 1 + hanoi (n - 1) c b a
let[@tail_mod_cons] rec map f = function [] -> [] | x :: r -> let y = f x in y :: map f r
let () =
  Printf.printf "%d %d %d\n" (List.nth ones 100) a.self.self.self.v b.self.v;
  List.iter (Printf.printf "%d ") (f 10); print_newline ();
  Printf.printf "%d %s\n" (loop 1_000_000 0) (mutual1 300_001);
  Printf.printf "%d %d %d %d\n" (ack 2 300) (fib 22) (tak 14 8 3) (hanoi 14 'a' 'b' 'c');
  Printf.printf "%d\n" (List.length (map succ (List.init 200_000 Fun.id)));
  let rec deep n = if n = 0 then 0 else 1 + deep (n - 1) in
  Printf.printf "%d\n" (deep 100_000);
  let rec x = lazy (List.length (Lazy.force y)) and y = lazy [ 1; 2; 3 ] in
  Printf.printf "%d\n" (Lazy.force x);
  let rec cyc = [| Some 1; None |] and _unused = 5 in
  cyc.(1) <- cyc.(0); Printf.printf "%b\n" (cyc.(1) = Some 1)
