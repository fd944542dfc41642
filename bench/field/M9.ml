(* SPDX-License-Identifier: MIT *)
(* Calls of Gc.major_slice until a cycle ends, 10 MB live and nothing allocated; 100,000 stands for never. *)
open Figures

let calls n =
  let goal = cycles () + 1 in
  let rec go k = if cycles () >= goal || k >= 100_000 then k else (ignore (Gc.major_slice n); go (k + 1)) in
  go 0

let () =
  let kept = Array.init 500 (fun _ -> list 850) in
  Gc.full_major ();
  count "calls_of_slice_0" (calls 0);
  count "calls_of_slice_1000" (calls 1000);
  count "calls_of_slice_100000" (calls 100_000);
  keep kept
