(* SPDX-License-Identifier: MIT *)
(* Atomic operations, on one domain and several. *)
let () =
  let a = Atomic.make 5 in
  Printf.printf "%d %d %d\n" (Atomic.get a) (Atomic.exchange a 7) (Atomic.get a);
  Printf.printf "%b %b %d\n" (Atomic.compare_and_set a 7 8) (Atomic.compare_and_set a 7 9) (Atomic.get a);
  Printf.printf "%d %d\n" (Atomic.fetch_and_add a 10) (Atomic.get a); Atomic.incr a; Atomic.decr a; Atomic.set a 1; Printf.printf "%d\n" (Atomic.get a);
  let s = Atomic.make "one" in
  let old = Atomic.get s in
  Printf.printf "%b %s\n" (Atomic.compare_and_set s old (String.make 3 'x')) (Atomic.get s);
  Printf.printf "%b\n" (Atomic.compare_and_set s (String.make 3 'x') "no");
  let f = Atomic.make 1.5 in
  Printf.printf "%g %g\n" (Atomic.exchange f 2.5) (Atomic.get f);
  let boxes = Array.init 100 (fun i -> Atomic.make (ref i)) in
  for round = 1 to 200 do Array.iteri (fun i b -> Atomic.set b (ref (!(Atomic.get b) + i + (round land 1)))) boxes; if round mod 50 = 0 then Gc.full_major () done;
  Printf.printf "%d\n" (Array.fold_left (fun a b -> a + !(Atomic.get b)) 0 boxes);
  let x = Atomic.make_contended 0 in
  let ds = List.init 4 (fun i -> Domain.spawn (fun () -> for _ = 1 to 5000 do ignore (Atomic.fetch_and_add x i) done)) in
  List.iter Domain.join ds; Printf.printf "%d\n" (Atomic.get x);
  let box = Atomic.make (ref 0) in
  let ds = List.init 3 (fun _ -> Domain.spawn (fun () -> let n = ref 0 in while !n < 1000 do let o = Atomic.get box in if Atomic.compare_and_set box o (ref (!o + 1)) then incr n done)) in
  List.iter Domain.join ds; Printf.printf "%d\n" !(Atomic.get box)
