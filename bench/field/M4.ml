(* SPDX-License-Identifier: MIT *)
(* Memory comes back without being asked for: 215 MB of arrays, small and large; 2 MB stay, scattered; then three full majors. *)
open Figures

let () =
  let small = Array.init 1_500_000 (fun i -> Array.make 7 i) in
  let large = Array.init 125 (fun i -> Array.make 125_000 i) in
  figure "before_MB" (megabytes "VmRSS");
  Array.iteri (fun i _ -> if i mod 100 <> 0 then small.(i) <- [||]) small;
  Array.fill large 1 124 [||];
  for _ = 1 to 3 do Gc.full_major () done;
  figure "after_three_majors_MB" (megabytes "VmRSS");
  Gc.compact ();
  figure "after_compact_MB" (megabytes "VmRSS");
  count "compactions_by_itself" ((quick ()).compactions - 1);
  keep (small, large)
