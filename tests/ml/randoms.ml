(* SPDX-License-Identifier: MIT *)
(* Random with fixed seeds: the same numbers as stock. *)
let () =
  Random.init 42;
  for _ = 1 to 10 do Printf.printf "%d " (Random.int 1000) done; print_newline ();
  for _ = 1 to 5 do Printf.printf "%d %.15g %b %ld %Ld %nd\n" (Random.bits ()) (Random.float 1.) (Random.bool ()) (Random.int32 1000l) (Random.int64 1_000_000_000_000L) (Random.nativeint 99n) done;
  Random.full_init [| 1; 2; 3 |]; Printf.printf "%d %d\n" (Random.full_int (1 lsl 50)) (Random.int_in_range ~min:(-5) ~max:5);
  let s = Random.State.make [| 7 |] in
  let c = Random.State.copy s in
  Printf.printf "%d %d\n" (Random.State.int s 1_000_000) (Random.State.int c 1_000_000);
  let t = Random.State.split s in
  Printf.printf "%d %d\n" (Random.State.bits t) (Random.State.bits s);
  Printf.printf "%Lx %lx\n" (Random.State.bits64 s) (Random.State.bits32 s);
  (try ignore (Random.int 0) with Invalid_argument m -> print_endline m);
  let sum = ref 0 in
  for _ = 1 to 50_000 do sum := (!sum + Random.State.bits s) land 0xFFFFFF done;
  Printf.printf "%d\n" !sum;
  let st = Random.State.to_binary_string s in
  Printf.printf "%d %b\n" (String.length st) (Random.State.bits (Random.State.of_binary_string st) = Random.State.bits s)
