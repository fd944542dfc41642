(* SPDX-License-Identifier: MIT *)
(* Blocks at the edges of size classes and far beyond, filled and checked across compactions. *)
let sizes = [ 1; 2; 3; 15; 16; 17; 31; 32; 33; 63; 64; 65; 127; 128; 129; 255; 256; 257; 511; 512; 513; 1023; 1024; 1025; 4095; 4096; 8191; 8192; 8193; 16384; 65535; 65536; 262144; 1_000_000 ]
let sum a = Array.fold_left ( + ) 0 a
let () =
  let arrays = List.map (fun n -> Array.init n (fun i -> i)) sizes in
  let strings = List.map (fun n -> String.init n (fun i -> Char.chr (i land 255))) sizes in
  let floats = List.map (fun n -> Array.init n float) sizes in
  let junk = ref [] in
  for i = 1 to 50 do junk := [ Array.make (i * 1000) i ]; if i mod 10 = 0 then Gc.compact () done;
  ignore (Sys.opaque_identity !junk);
  List.iter2 (fun n a -> Printf.printf "%d %b " n (sum a = n * (n - 1) / 2)) sizes arrays; print_newline ();
  List.iter (fun s -> Printf.printf "%s " (String.sub (Digest.to_hex (Digest.string s)) 0 8)) strings; print_newline ();
  List.iter (fun a -> Printf.printf "%g " (Array.fold_left ( +. ) 0. a)) floats; print_newline ();
  let m = Array.init 300 (fun i -> Array.make 1000 (ref i)) in
  Gc.compact ();
  Array.iteri (fun i row -> Array.iteri (fun j _ -> row.(j) <- ref (i + j)) row) m;
  Gc.full_major ();
  Printf.printf "%d\n" (Array.fold_left (fun s row -> Array.fold_left (fun s r -> s + !r) s row) 0 m)
