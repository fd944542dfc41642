(* SPDX-License-Identifier: MIT *)
(* The edges of primitives that an interpreter may do itself where they are called: bounds, flat arrays behind unknown
   types, nan, integers beside blocks, what does not fit, stores of young blocks into old arrays. *)
let try_ name f = Printf.printf "%s: %s\n" name (try f () with e -> Printexc.to_string e)
let indices = [ min_int; -1; 0; 2; 3; 4; 1 lsl 55; max_int ]
let each name show f = List.iter (fun i -> try_ (Printf.sprintf "%s %d" name i) (fun () -> show (f i))) indices
let unit () = "()"

(* Their types are not known where the primitive is called. *)
let get a i = a.(i)
let set a i x = a.(i) <- x
let unsafe_get a i = Array.unsafe_get a i
let unsafe_set a i x = Array.unsafe_set a i x

let () =
  let ints = [| 1; 2; 3 |] and floats = [| 1.5; 2.5; 3.5 |] and strings = [| "a"; "b"; "c" |] in
  each "get ints" string_of_int (get ints);
  each "get floats" string_of_float (get floats);
  each "get strings" Fun.id (get strings);
  each "set ints" unit (fun i -> set ints i i);
  each "set floats" unit (fun i -> set floats i (float_of_int i));
  each "set strings" unit (fun i -> set strings i (string_of_int i));
  each "known int" string_of_int (fun i -> ints.(i));
  each "known float" string_of_float (fun i -> floats.(i));
  each "set known int" unit (fun i -> ints.(i) <- 7);
  each "set known float" unit (fun i -> floats.(i) <- 7.);
  each "empty" string_of_int (get [||]);
  Printf.printf "%d %f %s\n" (unsafe_get ints 1) (unsafe_get floats 1) (unsafe_get strings 1);
  unsafe_set ints 1 17; unsafe_set floats 1 17.5; unsafe_set strings 1 "seventeen";
  Printf.printf "%d %f %s\n" (get ints 1) (get floats 1) (get strings 1);
  let fa = Float.Array.init 3 float_of_int in
  each "float array" string_of_float (Float.Array.get fa);
  each "set float array" unit (fun i -> Float.Array.set fa i 9.);
  Float.Array.unsafe_set fa 0 8.;
  print_float (Float.Array.unsafe_get fa 0 +. Float.Array.fold_left ( +. ) 0. fa)

let () =
  let b = Bytes.of_string "abc" in
  each "string" (String.make 1) (fun i -> "abc".[i]);
  each "bytes" (String.make 1) (Bytes.get b);
  each "set bytes" unit (fun i -> Bytes.set b i (Char.chr (i land 255)));
  each "empty string" (String.make 1) (fun i -> "".[i]);
  List.iter (fun n -> let s = String.make n 'x' in Printf.printf "%d %d " (String.length s) (Bytes.length (Bytes.of_string s))) [ 0; 1; 6; 7; 8; 9; 100_000 ]

let () =
  let values = [ 0.; -0.; 1.; -1.5; nan; infinity; neg_infinity; 4611686018427387903.; -4611686018427387904.; 0x1p62; 0x1p61; 1e-310 ] in
  List.iter (fun x ->
    Printf.printf "\n%h %h %h %h" (-.x) (Float.abs x) (sqrt x) (x *. 2.);
    if Float.abs x < 0x1p62 then Printf.printf " %d" (int_of_float x);
    List.iter (fun y ->
      Printf.printf " %h %h %h %b%b%b%b%b%b %d" (x +. y) (x -. y) (x /. y) (x = y) (x <> y) (x < y) (x <= y) (x > y) (x >= y) (compare x y)) values)
    values;
  List.iter (fun n -> Printf.printf " %h" (float_of_int n)) [ 0; -1; max_int; min_int ]

type t = A | B | C of int | D of t * t

let compare_all show values =
  List.iter (fun a ->
    List.iter (fun b ->
      try_ "order" (fun () -> Printf.sprintf "%s %s: %d %b%b%b%b%b%b" (show a) (show b) (compare a b) (a = b) (a <> b) (a < b) (a <= b) (a > b) (a >= b))) values)
    values

let () =
  print_newline ();
  compare_all string_of_int [ min_int; -1; 0; 1; max_int ];
  List.iter (fun (a : int) -> List.iter (fun b -> Printf.printf "%d " (compare a b)) [ min_int; 0; 5; max_int ]) [ min_int; 0; 5; max_int ];
  compare_all (function A -> "A" | B -> "B" | C _ -> "C" | D _ -> "D") [ A; B; C 1; C 2; D (A, C 1); D (A, B) ];
  compare_all (fun l -> string_of_int (List.length l)) [ []; [ nan ]; [ 1.; nan ]; [ 1. ] ];
  try_ "functions" (fun () -> string_of_bool (Sys.opaque_identity compare_all = Sys.opaque_identity compare_all));
  try_ "functions" (fun () -> string_of_int (compare (Some succ) (Some pred)))

(* An old array gets young blocks, then integers, then blocks again. *)
let () =
  let old = Array.make 300 [] in
  Gc.full_major ();
  for round = 1 to 5 do
    for i = 0 to 299 do
      if (i + round) mod 3 = 0 then old.(i) <- [] else old.(i) <- [ i; round ]
    done;
    Gc.minor ();
    for i = 0 to 299 do set old i (i :: get old i) done;
    if round = 3 then Gc.full_major ()
  done;
  print_int (Array.fold_left (List.fold_left ( + )) 0 old)
