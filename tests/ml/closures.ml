(* SPDX-License-Identifier: MIT *)
(* Closures: partial application, many arguments, over-application, capture. *)
let f8 a b c d e f g h = a + (b * 2) + (c * 3) + (d * 4) + (e * 5) + (f * 6) + (g * 7) + (h * 8)
let f12 a b c d e f g h i j k l = [ a; b; c; d; e; f; g; h; i; j; k; l ]
let compose f g x = f (g x)
let rec iterate n f x = if n = 0 then x else iterate (n - 1) f (f x)
let labelled ?(opt = 1) ~lab x = opt + lab + x
let over n = if n = 0 then fun a b -> a - b else fun a b -> (a * b) + n
let () =
  Printf.printf "%d\n" (f8 1 2 3 4 5 6 7 8);
  let p1 = f8 1 in let p3 = p1 2 3 in let p5 = p3 4 5 in
  Printf.printf "%d %d\n" (p5 6 7 8) (p3 1 1 1 1 1);
  List.iter (Printf.printf "%d ") (f12 1 2 3 4 5 6 7 8 9 10 11 12); print_newline ();
  let q = f12 1 2 3 4 5 6 in let r = q 7 8 9 in
  List.iter (Printf.printf "%d ") (r 10 11 12); print_newline ();
  Printf.printf "%d %d\n" (over 0 5 3) (over 1 5 3);
  Printf.printf "%d\n" (compose (compose succ (( * ) 2)) pred 10);
  Printf.printf "%d\n" (iterate 1000 (compose succ succ) 0);
  Printf.printf "%d %d %d\n" (labelled ~lab:2 3) (labelled ~opt:10 ~lab:2 3) (labelled ?opt:None ~lab:5 5);
  let adders = List.init 10 (fun i -> fun x y z -> (i * x) + y - z) in
  List.iter (fun f -> Printf.printf "%d " (f 1 2 3)) adders; print_newline ();
  let counter () = let n = ref 0 in (fun () -> incr n; !n), (fun () -> n := 0) in
  let next, reset = counter () in
  ignore (next ()); ignore (next ()); Printf.printf "%d " (next ()); reset (); Printf.printf "%d\n" (next ());
  let rec even n = n = 0 || odd (n - 1) and odd n = n <> 0 && even (n - 1) in
  Printf.printf "%b %b\n" (even 100_000) (odd 100_000);
  let captured = List.init 100 (fun i -> let a = i and b = string_of_int i and c = float i in fun () -> a + String.length b + int_of_float c) in
  Gc.compact ();
  Printf.printf "%d\n" (List.fold_left (fun s f -> s + f ()) 0 captured);
  let y f = let rec g x = f g x in g in
  Printf.printf "%d\n" (y (fun self n -> if n <= 1 then 1 else n * self (n - 1)) 15);
  let parts = List.init 8 (fun n -> match n with 0 -> Obj.repr f8 | 1 -> Obj.repr (f8 1) | 2 -> Obj.repr (f8 1 2) | 3 -> Obj.repr (f8 1 2 3) | 4 -> Obj.repr (f8 1 2 3 4) | 5 -> Obj.repr (f8 1 2 3 4 5) | 6 -> Obj.repr (f8 1 2 3 4 5 6) | _ -> Obj.repr (f8 1 2 3 4 5 6 7)) in
  Gc.full_major ();
  Printf.printf "%d\n" ((Obj.obj (List.nth parts 7) : int -> int) 8 + (Obj.obj (List.nth parts 4) : int -> int -> int -> int -> int) 5 6 7 8)
