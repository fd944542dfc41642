(* SPDX-License-Identifier: MIT *)
(* Domains: results, exceptions, shared atomics, many in a row, nested spawns. *)
let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)
let rec build n = if n = 0 then [] else string_of_int n :: build (n - 1)
let () =
  let ds = List.init 4 (fun i -> Domain.spawn (fun () -> fib (15 + i))) in
  List.iter (fun d -> Printf.printf "%d " (Domain.join d)) ds; print_newline ();
  let c = Atomic.make 0 in
  let ds = List.init 4 (fun _ -> Domain.spawn (fun () -> for _ = 1 to 10_000 do Atomic.incr c done)) in
  List.iter Domain.join ds; Printf.printf "%d\n" (Atomic.get c);
  (match Domain.join (Domain.spawn (fun () -> failwith "in domain")) with () -> print_endline "?" | exception Failure m -> print_endline m);
  let ls = List.init 4 (fun i -> Domain.spawn (fun () -> let l = build (5000 + i) in Gc.minor (); List.length l, List.nth l 100)) in
  List.iter (fun d -> let n, s = Domain.join d in Printf.printf "%d %s\n" n s) ls;
  for i = 1 to 60 do let r = Domain.join (Domain.spawn (fun () -> build i)) in if List.length r <> i then print_endline "wrong" done;
  let nested = Domain.spawn (fun () -> let a = Domain.spawn (fun () -> fib 10) in let b = Domain.spawn (fun () -> fib 11) in Domain.join a + Domain.join b) in
  Printf.printf "%d\n" (Domain.join nested);
  Printf.printf "%b %b\n" (Domain.is_main_domain ()) (Domain.join (Domain.spawn Domain.is_main_domain));
  let arr = Array.make 1000 0 in
  let ds = List.init 4 (fun d -> Domain.spawn (fun () -> for i = 0 to 249 do arr.((d * 250) + i) <- (d * 250) + i done)) in
  List.iter Domain.join ds; Printf.printf "%d\n" (Array.fold_left ( + ) 0 arr);
  let shared = Atomic.make [] in
  let rec push x = let l = Atomic.get shared in if not (Atomic.compare_and_set shared l (x :: l)) then push x in
  let ds = List.init 3 (fun d -> Domain.spawn (fun () -> for i = 1 to 1000 do push (Some ((d * 1000) + i)); if i mod 100 = 0 then Gc.full_major () done)) in
  List.iter Domain.join ds;
  Printf.printf "%d %d\n" (List.length (Atomic.get shared)) (List.fold_left (fun a o -> a + Option.get o) 0 (Atomic.get shared));
  let d = Domain.spawn (fun () -> Domain.at_exit (fun () -> print_endline "at_exit of the domain"); print_endline "body") in
  Domain.join d;
  Printf.printf "%b\n" (Domain.recommended_domain_count () > 0)
