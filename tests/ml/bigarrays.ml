(* SPDX-License-Identifier: MIT *)
(* Bigarray: kinds, layouts, slices, blits, bounds, large ones. *)
open Bigarray
let catch f = try f () with Invalid_argument m -> print_endline m | Failure m -> print_endline m
let () =
  let a = Array1.create int c_layout 10 in
  for i = 0 to 9 do a.{i} <- i * i done;
  Printf.printf "%d %d %d\n" a.{3} (Array1.dim a) (Array1.size_in_bytes a);
  catch (fun () -> Printf.printf "%d" a.{10}); catch (fun () -> a.{-1} <- 0); catch (fun () -> ignore (Array1.sub a 5 6));
  let s = Array1.sub a 2 4 in
  s.{0} <- 100; Printf.printf "%d %d\n" a.{2} s.{3};
  let f = Array2.create float64 fortran_layout 3 4 in
  for i = 1 to 3 do for j = 1 to 4 do f.{i, j} <- float ((i * 10) + j) done done;
  Printf.printf "%g %d %d\n" f.{2, 3} (Array2.dim1 f) (Array2.dim2 f); catch (fun () -> Printf.printf "%g" f.{0, 1});
  let col = Array2.slice_right f 2 in
  Printf.printf "%g\n" col.{3};
  let c = Array3.create char c_layout 2 3 4 in
  Array3.fill c 'x'; c.{1, 2, 3} <- 'y'; Printf.printf "%c%c\n" c.{0, 0, 0} c.{1, 2, 3};
  let g = genarray_of_array3 c in
  Printf.printf "%d %d\n" (Genarray.num_dims g) (Genarray.nth_dim g 2);
  let r = reshape_1 g 24 in
  Printf.printf "%c\n" r.{23}; catch (fun () -> ignore (reshape_1 g 25));
  let b8 = Array1.of_array int8_signed c_layout [| 127; 128; 255; -1 |] in
  Printf.printf "%d %d %d %d\n" b8.{0} b8.{1} b8.{2} b8.{3};
  let u16 = Array1.of_array int16_unsigned c_layout [| 65535; 65536; -1 |] in
  Printf.printf "%d %d %d\n" u16.{0} u16.{1} u16.{2};
  let i32 = Array1.of_array int32 c_layout [| 1l; Int32.min_int |] and i64 = Array1.of_array int64 c_layout [| 1L; Int64.min_int |] in
  Printf.printf "%ld %Ld\n" i32.{1} i64.{1};
  let f32 = Array1.of_array float32 c_layout [| 0.1; 1e40 |] and cx = Array1.of_array complex64 c_layout [| { Complex.re = 1.; im = 2. } |] in
  Printf.printf "%.10g %g %g\n" f32.{0} f32.{1} cx.{0}.im;
  let f16 = Array1.of_array float16 c_layout [| 0.1; 65504.; 1e6; 1e-8 |] in
  Printf.printf "%.10g %g %g %g\n" f16.{0} f16.{1} f16.{2} f16.{3};
  let x = Array1.create int c_layout 10 in
  Array1.blit a x; Printf.printf "%d %b\n" (compare a x) (a = x); x.{9} <- -1; Printf.printf "%d\n" (compare a x);
  catch (fun () -> Array1.blit (Array1.sub a 0 5) x);
  Array1.blit (Array1.sub a 0 5) (Array1.sub a 3 5); Printf.printf "%d %d\n" a.{3} a.{7};
  catch (fun () -> ignore (Array1.create int c_layout (-1))); catch (fun () -> ignore (Genarray.create int c_layout (Array.make 20 1)));
  let z = Array0.create float64 c_layout in
  Array0.set z 3.5; Printf.printf "%g\n" (Array0.get z);
  let total = ref 0 in
  for i = 1 to 2000 do let t = Array1.create char c_layout 10_000 in t.{i} <- 'a'; total := !total + Char.code t.{i} done;
  Printf.printf "%d\n" !total;
  let m : (int, int_elt, c_layout) Array1.t = Marshal.from_string (Marshal.to_string a []) 0 in
  Printf.printf "%b\n" (m = a);
  let m2 : (float, float64_elt, fortran_layout) Array2.t = Marshal.from_string (Marshal.to_string f []) 0 in
  Printf.printf "%g\n" m2.{2, 3};
  Printf.printf "%g\n" (Array1.unsafe_get f32 0 -. f32.{0}); ignore (Array2.init int c_layout 2 2 (fun i j -> i + j))
