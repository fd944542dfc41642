(* SPDX-License-Identifier: MIT *)
(* Arrays: generic, of floats, bounds. *)
let catch name f = try ignore (f ()); print_endline (name ^ " fine") with Invalid_argument m -> print_endline (name ^ " Invalid_argument " ^ m) | Not_found -> print_endline "Not_found"
let ints a = Array.iter (Printf.printf "%d ") a; print_newline ()
let floats a = Array.iter (Printf.printf "%g ") a; print_newline ()
let () =
  let a = Array.init 10 (fun i -> i * i) in
  ints a; ints (Array.sub a 2 3); ints (Array.append a [| 1 |]); ints (Array.concat [ a; [||]; a ]); ints (Array.copy a);
  Array.blit a 0 a 3 5; ints a;
  Array.fill a 2 4 7; ints a;
  Array.sort (fun x y -> compare y x) a; ints a;
  Array.stable_sort compare a; ints a;
  catch "get" (fun () -> a.(10)); catch "get" (fun () -> a.(-1)); catch "set" (fun () -> a.(10) <- 1);
  catch "sub" (fun () -> Array.sub a 5 6); catch "blit" (fun () -> Array.blit a 5 a 0 6); catch "fill" (fun () -> Array.fill a (-1) 2 0);
  catch "make" (fun () -> Array.make (-1) 0); catch "make" (fun () -> Array.make max_int 0); catch "make" (fun () -> Array.make max_int 0.);
  let f = Array.make 5 1.5 in
  f.(2) <- 2.5; floats f; floats (Array.map (fun x -> x *. 2.) f); floats (Array.append f [| 9. |]); floats (Array.sub f 1 2);
  floats (Array.concat [ f; f ]); Array.blit f 1 f 0 3; floats f; Array.fill f 0 2 0.25; floats f;
  catch "float get" (fun () -> f.(5)); catch "float set" (fun () -> f.(-1) <- 0.);
  let id x = x in
  let poly = Array.map id f in
  Printf.printf "%b %d %d\n" (poly = f) (Array.length poly) (Obj.tag (Obj.repr poly));
  let m = Array.make_matrix 3 4 0 in
  m.(1).(2) <- 5; Array.iter ints m;
  ints (Array.of_list [ 3; 1; 2 ]); print_endline (String.concat "," (Array.to_list (Array.map string_of_int a)));
  Printf.printf "%d %d %b %b\n" (Array.fold_left ( + ) 0 a) (Array.fold_right ( - ) a 0) (Array.exists (( = ) 7) a) (Array.for_all (( < ) 0) a);
  let big = Array.init 100_000 (fun i -> (i * 7919) mod 100_003) in
  Array.sort compare big;
  Printf.printf "%d %d %d\n" big.(0) big.(50_000) big.(99_999);
  let strs = Array.init 1000 string_of_int in
  Array.sort compare strs; Printf.printf "%s %s %s\n" strs.(0) strs.(500) strs.(999);
  let fa = Float.Array.init 5 float in
  Float.Array.set fa 2 7.; Printf.printf "%g %d\n" (Float.Array.fold_left ( +. ) 0. fa) (Float.Array.length fa);
  catch "floatarray" (fun () -> Float.Array.get fa 5);
  let grow = Array.init 2000 (fun i -> Array.make (i mod 50) i) in
  for _ = 1 to 5 do Array.iteri (fun i x -> grow.(1999 - i) <- Array.append x [| i |]) (Array.copy grow) done;
  Printf.printf "%d\n" (Array.fold_left (fun s x -> s + Array.fold_left ( + ) 0 x) 0 grow);
  ints (Array.of_seq (Seq.map succ (Array.to_seq [| 1; 2 |])));
  let x, y = Array.split [| (1, 2); (3, 4) |] in
  ints x; ints y; ints (Array.map2 ( + ) x y);
  catch "map2" (fun () -> Array.map2 ( + ) [| 1 |] [||])
