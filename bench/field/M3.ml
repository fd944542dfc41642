(* SPDX-License-Identifier: MIT *)
(* Memory outside the heap: 40 MB of OCaml values live; 1: bigarrays of 256 kB dropped at once (30,000), 2: of 800 bytes (600,000),
   each with a few words of OCaml's own. Too lazy shows in the peak, too eager in the cycles. *)
open Figures

let run name n bytes =
  let before = cycles () in
  let cpu = processor (fun () ->
      for _ = 1 to n do
        keep (Bigarray.Array1.create Bigarray.char Bigarray.c_layout bytes, list 10)
      done) in
  count ("cycles_" ^ name) (cycles () - before);
  figure ("cpu_s_" ^ name) cpu

let () =
  let kept = Array.init 2000 (fun _ -> list 850) in
  run "256kB" 30_000 262_144;
  run "800B" 600_000 800;
  keep kept
