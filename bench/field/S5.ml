(* SPDX-License-Identifier: MIT *)
(* What Gc.stat costs beyond a full major collection: 85 MB live, 20 calls of each. *)
open Figures

let () =
  let kept = Array.init 4000 (fun _ -> list 900) in
  Gc.full_major ();
  let major = processor (fun () -> for _ = 1 to 20 do Gc.full_major () done) in
  let stat = processor (fun () -> for _ = 1 to 20 do keep (Gc.stat ()) done) in
  keep kept;
  figure "stat_s" stat;
  figure "stat_to_full_major" (stat /. major)
