(* SPDX-License-Identifier: MIT *)
(* Large objects dropped at once: 15,000 float arrays of 200 kB, alone, beside 100,000 small blocks in an array, and beside
   a list of 100,000 cells. Page faults are the pages that came anew from the system. *)
open Figures

let faults () =
  let file = open_in "/proc/self/stat" in
  Scanf.sscanf (input_line file) "%_d (%_s@) %_c %_d %_d %_d %_d %_d %_d %d" Fun.id

let run name kept =
  let before = faults () and cycles_before = cycles () in
  let cpu = processor (fun () -> for i = 1 to 15_000 do keep (Array.make 25_000 (float_of_int i)) done) in
  keep kept;
  count ("page_faults_" ^ name) (faults () - before);
  count ("cycles_" ^ name) (cycles () - cycles_before);
  figure ("cpu_s_" ^ name) cpu

let () =
  run "alone" (Obj.repr 0);
  run "array" (Obj.repr (Array.init 100_000 ref));
  run "list" (Obj.repr (list 100_000))
