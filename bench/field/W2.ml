(* SPDX-License-Identifier: MIT *)
(* Ephemerons in chains, each key the data of another, made in shuffled order, so that one is found alive after the other: Gc.full_major
   with 2,000 and with 16,000. Linear in their number is 8 times. *)
open Figures

let majors n =
  let keys = Array.init (n + 1) ref in
  let ephes = Array.init n (fun j -> let i = j * 7919 mod n in Ephemeron.K1.make keys.(i) keys.(i + 1)) in
  let first = keys.(0) in
  Array.fill keys 0 (n + 1) first;
  Gc.minor ();
  let cpu = processor (fun () -> for _ = 1 to 3 do Gc.full_major () done) in
  keep (first, ephes);
  cpu

let () =
  let short = majors 2_000 in
  let long = majors 16_000 in
  figure "cpu_s_2000" short;
  figure "cpu_s_16000" long;
  figure "growth_for_8_times" (long /. short)
