(* SPDX-License-Identifier: MIT *)
(* runparam: l=100k *)
let rec inf n = 1 + inf (n + 1)
let () = print_endline "start"; Printf.printf "%d\n" (inf 0)
