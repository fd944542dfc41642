(* SPDX-License-Identifier: MIT *)
(* Unmarshalling in a loop: a value of 12 MB is read 60 times, the last two are kept. *)
open Figures

let () =
  let data = Marshal.to_string (Array.init 1000 (fun i -> (list 300, string_of_int i))) [] in
  let kept = Array.make 2 [||] in
  let before = cycles () in
  let cpu = processor (fun () ->
      for i = 1 to 60 do
        kept.(i land 1) <- (Marshal.from_string data 0 : (int list * string) array);
        keep (list 2000)
      done) in
  keep kept;
  count "cycles" (cycles () - before);
  figure "cpu_s" cpu
