(* SPDX-License-Identifier: MIT *)
(* Mappings (the kernel allows 65,530): 320 MB, of which every other stretch of 40 kB is dropped, and a compaction, four times. *)
open Figures

let mappings () = In_channel.with_open_bin "/proc/self/maps" (fun f -> In_channel.fold_lines (fun n _ -> n + 1) 0 f)

let () =
  let before = mappings () in
  let slots = Array.make 8_000 [||] in
  for round = 1 to 4 do
    Array.iteri (fun i a -> if a = [||] then slots.(i) <- Array.init 1000 (fun j -> ref (i + j))) slots;
    Array.iteri (fun i _ -> if (i / round) land 1 = 0 then slots.(i) <- [||]) slots;
    Gc.compact ()
  done;
  count "mappings_more" (mappings () - before);
  keep slots
