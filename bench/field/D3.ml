(* SPDX-License-Identifier: MIT *)
(* Domain.spawn and Domain.join, 2,000 times, and 500 times seven at once. *)
open Figures

let () =
  figure "us_for_one" (wall (fun () -> for _ = 1 to 2_000 do Domain.join (Domain.spawn ignore) done) /. 2e-3);
  figure "us_for_each_of_7"
    (wall (fun () -> for _ = 1 to 500 do List.iter Domain.join (List.init 7 (fun _ -> Domain.spawn ignore)) done) /. 3.5e-3)
