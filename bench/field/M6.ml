(* SPDX-License-Identifier: MIT *)
(* Large objects dropped at once: 60,000 float arrays of 200 kB. Page faults are the pages that came anew from the system. *)
open Figures

let faults () =
  let file = open_in "/proc/self/stat" in
  Scanf.sscanf (input_line file) "%_d (%_s@) %_c %_d %_d %_d %_d %_d %_d %d" Fun.id

let () =
  let kept = list 100_000 in
  let before = faults () in
  let cpu = processor (fun () -> for i = 1 to 60_000 do keep (Array.make 25_000 (float_of_int i)) done) in
  keep kept;
  count "page_faults" (faults () - before);
  figure "cpu_s" cpu
