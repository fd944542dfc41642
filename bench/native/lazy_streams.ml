(* SPDX-License-Identifier: MIT *)
(* Lazy streams: numbers with small prime factors, merged lazily; partial sums; all of one long stream stays alive. *)
type 'a stream = Cons of 'a * 'a stream Lazy.t

let rec map f (Cons (x, rest)) = Cons (f x, lazy (map f (Lazy.force rest)))

let rec merge (Cons (x, xs) as a) (Cons (y, ys) as b) =
  if x < y then Cons (x, lazy (merge (Lazy.force xs) b))
  else if x > y then Cons (y, lazy (merge a (Lazy.force ys)))
  else Cons (x, lazy (merge (Lazy.force xs) (Lazy.force ys)))

let hamming () =
  let rec numbers =
    lazy (Cons (1, lazy (merge (times 2) (merge (times 3) (merge (times 5) (times 7))))))
  and times n = map (fun x -> x * n) (Lazy.force numbers) in
  Lazy.force numbers

let rec drop n (Cons (x, rest)) =
  Probe.pass ();
  if n = 0 then x else drop (n - 1) (Lazy.force rest)

let rec from n = Cons (n, lazy (from (n + 1)))

let () =
  let total = ref 0 in
  for _ = 1 to Probe.scale 90 do total := !total + drop 4000 (hamming ()) done;
  let numbers = from 1 in
  for _ = 1 to Probe.scale 10 do
    total := !total + drop 1_000_000 (map (fun x -> x * 2) numbers)
  done;
  let (Cons (first, _)) = numbers in
  Probe.finish (!total + first)
