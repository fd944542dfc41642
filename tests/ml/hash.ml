(* SPDX-License-Identifier: MIT *)
(* Hashtbl.hash must give stock's figures. *)
type r = { a : int; f : float; s : string }
let h x = Printf.printf "%d\n" (Hashtbl.hash x)
let () =
  List.iter h [ 0; 1; -1; 42; max_int; min_int ];
  List.iter h [ 0.; -0.; 1.; nan; -.nan; infinity; 1e300; Float.of_string "nan" ];
  List.iter h [ ""; "a"; "ab"; "abc"; "abcd"; "abcde"; String.make 100 'z'; "\000\255" ];
  List.iter h [ 0l; 1l; -1l ]; List.iter h [ 0L; 1L; -1L; Int64.max_int ]; List.iter h [ 0n; -1n ];
  h (1, 2); h [ 1; 2; 3 ]; h (List.init 100 Fun.id); h { a = 1; f = 2.; s = "x" }; h [| 1.; 2. |]; h [||]; h (Some (Some 3)); h 'c'; h true; h (); h `Foo; h (`Bar 3);
  h (1, (2, (3, (4, (5, (6, (7, (8, (9, (10, (11, 12))))))))))); h (ref 5); h (Bytes.of_string "abc"); h (Array.init 20 string_of_int);
  Printf.printf "%d %d %d\n" (Hashtbl.hash_param 5 10 [ 1; 2; 3; 4; 5; 6; 7; 8 ]) (Hashtbl.seeded_hash 7 "x") (Hashtbl.seeded_hash_param 10 100 3 [ "a"; "b" ]);
  h (Bigarray.Array1.of_array Bigarray.int Bigarray.c_layout [| 1; 2; 3 |]); h (Bigarray.Array1.of_array Bigarray.float64 Bigarray.c_layout [| 1.; 2. |]); h (Bigarray.Array1.of_array Bigarray.int32 Bigarray.c_layout [| 1l; 2l |]); h (Bigarray.Array1.of_array Bigarray.char Bigarray.c_layout (Array.init 80 (fun i -> Char.chr i)));
  h (lazy 5); Printf.printf "%d\n" (Hashtbl.hash (object method m = 1 end) land 0)
