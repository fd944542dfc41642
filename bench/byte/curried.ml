(* SPDX-License-Identifier: MIT *)
(* Curried calls: functions of many arguments with all of them, too few, too many, and through functions that know nothing of them. *)
let add3 a b c = a + b + c
let add5 a b c d e = a + b + c + d + e
let mix7 a b c d e f g = a + (b lxor c) + (d land e) + (f lor g)
let choose n = if n land 1 = 0 then fun a b -> a + b else fun a -> (fun b -> a - b)
let flip f a b = f b a
let uncurry f (a, b) = f a b
let curry f a b = f (a, b)
let twice f x = f (f x)
let on f g a b = f (g a) (g b)
let apply3 f a b c = f a b c
let apply5 f a b c d e = f a b c d e
let rec fold3 f acc i n = if i = n then acc else fold3 f (f acc i (i + 1)) (i + 1) n
let labelled ?(scale = 1) ~offset x y = (scale * (x + y)) + offset

let rec ack m n = if m = 0 then n + 1 else if n = 0 then ack (m - 1) 1 else ack (m - 1) (ack m (n - 1))
let rec tak x y z = if y >= x then z else tak (tak (x - 1) y z) (tak (y - 1) z x) (tak (z - 1) x y)
let rec hanoi n a b c moves = if n = 0 then moves else hanoi (n - 1) a c b (hanoi (n - 1) c b a (moves + a + b))

let () =
  let sum = ref 0 in
  let add n = sum := (!sum + n) land 0xffff_ffff in
  add (tak 20 14 7);
  add (ack 2 450);
  add (hanoi 17 1 2 3 0);
  add (fold3 add3 0 0 1_000_000);
  for i = 1 to 350_000 do
    let f = add5 i 1 in
    let g = f 2 in
    add (g 3 4);
    add (choose i i 7);
    add (apply5 mix7 i 1 2 3 4 5 6);
    add (flip (add5 1) i 2 3 4);
    add (apply3 (mix7 i 1 2 3) 4 5 6);
    add (twice (twice (add3 1 i)) 1);
    add (uncurry (curry (uncurry ( + ))) (i, 1));
    add (on ( * ) (( + ) 1) i 2);
    add (labelled ~offset:i 1 2);
    add (labelled ~scale:2 ~offset:1 i i)
  done;
  let numbers = List.init 1_000 Fun.id in
  for i = 1 to 500 do
    List.iter2 (fun f n -> add (f n)) (List.map (fun n -> mix7 n i 1) numbers |> List.map (fun f -> f 1 2 3)) numbers;
    add (List.fold_left (fun f n -> if n land 7 = 0 then twice f else f) (( + ) i) (List.filteri (fun j _ -> j < 20) numbers) 1);
    add (List.fold_left2 add3 0 numbers numbers);
    add (List.fold_right (mix7 1 2 3 4 5) numbers 0)
  done;
  Printf.printf "%d\n" !sum
