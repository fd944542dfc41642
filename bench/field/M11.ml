(* SPDX-License-Identifier: MIT *)
(* The same work at o = 120 and at o = 40: 30 MB live, arrays of 80 kB dropped at once, and lists replaced. *)
open Figures

let work () =
  let slots = Array.init 1500 (fun _ -> list 850) in
  for i = 1 to 6_000 do
    keep (Array.make 10_000 i);
    slots.(i * 7919 mod 1500) <- list 850
  done

let at o =
  Gc.set { (Gc.get ()) with space_overhead = o };
  Gc.full_major ();
  let before = cycles () in
  let cpu = processor work in
  count (Printf.sprintf "cycles_o%d" o) (cycles () - before);
  cpu

let () =
  let wide = at 120 in
  let tight = at 40 in
  figure "cpu_o40_to_o120" (tight /. wide)
