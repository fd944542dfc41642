(* SPDX-License-Identifier: MIT *)
(* Lazy values: forcing, sharing, exceptions, recursion, streams. *)
let n = ref 0
let l = lazy (incr n; !n * 10)
type 'a stream = Cons of 'a * 'a stream Lazy.t
let rec from k = Cons (k, lazy (from (k + 1)))
let rec filter p (Cons (x, r)) = if p x then Cons (x, lazy (filter p (Lazy.force r))) else filter p (Lazy.force r)
let rec sieve (Cons (p, r)) = Cons (p, lazy (sieve (filter (fun x -> x mod p <> 0) (Lazy.force r))))
let rec take k (Cons (x, r)) = if k = 0 then [] else x :: take (k - 1) (Lazy.force r)
let rec fibs = lazy (Cons (0, lazy (Cons (1, lazy (add (Lazy.force fibs) (tail (Lazy.force fibs)))))))
and add (Cons (a, r)) (Cons (b, s)) = Cons (a + b, lazy (add (Lazy.force r) (Lazy.force s)))
and tail (Cons (_, r)) = Lazy.force r
let () =
  Printf.printf "%b %d %d %b %d\n" (Lazy.is_val l) (Lazy.force l) (Lazy.force l) (Lazy.is_val l) !n;
  List.iter (Printf.printf "%d ") (take 60 (sieve (from 2))); print_newline ();
  List.iter (Printf.printf "%d ") (take 60 (Lazy.force fibs)); print_newline ();
  let bad = lazy (incr n; failwith "bad") in
  for _ = 1 to 2 do try ignore (Lazy.force bad) with Failure m -> Printf.printf "%s %d\n" m !n done;
  let rec loop = lazy (1 + Lazy.force loop) in
  (try ignore (Lazy.force loop) with CamlinternalLazy.Undefined -> print_endline "Undefined");
  let f = lazy (print_string "once "; 2.5) in
  Printf.printf "%g %g\n" (Lazy.force f) (Lazy.force f);
  let m = Lazy.map succ (Lazy.from_val 4) in
  Printf.printf "%d %d\n" (Lazy.force m) (Lazy.force (Lazy.from_fun (fun () -> 6)));
  (match lazy (3, "x") with (lazy (a, b)) -> Printf.printf "%d %s\n" a b);
  let many = Array.init 5000 (fun i -> lazy (i * i)) in
  Gc.minor ();
  let s = Array.fold_left (fun a l -> a + Lazy.force l) 0 many in
  Gc.full_major ();
  Printf.printf "%d %d\n" s (Array.fold_left (fun a l -> a + Lazy.force l) 0 many);
  let chain = ref (lazy 0) in
  for _ = 1 to 10_000 do let prev = !chain in chain := lazy (1 + Lazy.force prev) done;
  Printf.printf "%d\n" (Lazy.force !chain)
