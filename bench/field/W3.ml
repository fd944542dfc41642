(* SPDX-License-Identifier: MIT *)
(* Finalisers: a million values with one, which live; the longest pause of a program that allocates beside them. Then what the end of 20
   domains with a finaliser each forces. *)
open Figures

let () =
  let kept = Array.init 1_000_000 (fun i -> let r = ref i in Gc.finalise ignore r; r) in
  let slots = Array.make 5_000 [] in
  Gc.full_major ();
  restart ();
  let cpu = processor (fun () -> for i = 1 to 100_000 do slots.(i mod 5_000) <- list 50; look () done) in
  keep (kept, slots);
  pause ();
  figure "cpu_s" cpu;
  let before = cycles () in
  for _ = 1 to 20 do Domain.join (Domain.spawn (fun () -> Gc.finalise ignore (ref 0))) done;
  count "cycles_of_20_domain_ends" (cycles () - before)
