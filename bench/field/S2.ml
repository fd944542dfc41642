(* SPDX-License-Identifier: MIT *)
(* top_heap_words is the true maximum of the process: four domains take turns, each holds 4 M words and drops them before the next begins. *)
open Figures

let turn = Atomic.make 0
let highest = Atomic.make 0

let look () =
  let now = (quick ()).heap_words in
  if now > Atomic.get highest then Atomic.set highest now

let work i =
  while Atomic.get turn <> i do Domain.cpu_relax () done;
  let kept = Array.init 1000 (fun _ -> look (); list 1333) in
  Gc.full_major (); look (); keep kept;
  Array.fill kept 0 1000 [];
  Gc.compact ();
  Atomic.incr turn;
  while Atomic.get turn < 4 do Domain.cpu_relax () done

let () =
  let domains = List.init 4 (fun i -> Domain.spawn (fun () -> work i)) in
  List.iter Domain.join domains;
  figure "top_to_highest_seen" (float_of_int (quick ()).top_heap_words /. float_of_int (Atomic.get highest))
