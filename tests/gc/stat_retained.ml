(* SPDX-License-Identifier: MIT *)
(* Retained words are exact: a program that keeps N known blocks sees live_words and live_blocks grow by exactly their
   words and number after two full majors, and fall by as much when it lets go. Each size class and its edges, large
   objects, strings, float arrays, custom blocks with and without a finaliser, closures, ephemerons. FIELD S1, S7. *)

(* What is measured is kept in a block that is there from the beginning: the measure itself adds nothing. *)
let words = Array.make 3 0
let blocks = Array.make 3 0

let live at =
  Gc.full_major ();
  Gc.full_major ();
  let q = Gc.quick_stat () in
  words.(at) <- q.live_words;
  blocks.(at) <- q.live_blocks

let n = 24
let kept = Array.make n (Obj.repr 0)

(* [make i] answers a block that alone holds [w] words in [b] blocks, headers included. *)
let retains name w b make =
  Array.fill kept 0 n (Obj.repr 0);
  live 0;
  for i = 0 to n - 1 do kept.(i) <- Obj.repr (make i) done;
  live 1;
  Array.fill kept 0 n (Obj.repr 0);
  live 2;
  (* Native code would drop the function after its last call: then its block is missing in the later figures. *)
  ignore (Sys.opaque_identity make);
  if (words.(1) - words.(0), blocks.(1) - blocks.(0)) <> (n * w, n * b) then
    Some (Printf.sprintf "%s: %d words in %d blocks, not %d in %d" name (words.(1) - words.(0)) (blocks.(1) - blocks.(0)) (n * w) (n * b))
  else if (words.(2), blocks.(2)) <> (words.(0), blocks.(0)) then
    Some (Printf.sprintf "%s: %d words in %d blocks stay" name (words.(2) - words.(0)) (blocks.(2) - blocks.(0)))
  else None

let all name troubles =
  Check.string name "" (match List.filter_map Fun.id troubles with [] -> "" | first :: _ -> first)

(* Slots of src/heap/pool.c, in words with the header. *)
let slots =
  [ 2; 3; 4; 5; 6; 7; 8; 9; 10; 11; 12; 13; 14; 15; 16; 18; 20; 22; 24; 26; 28; 30; 32; 36; 40; 44; 48; 52; 56; 60; 64; 72;
    80; 88; 96; 104; 112; 120; 128; 144; 160; 176; 192; 208; 224; 240; 256; 292; 341; 390; 455; 512; 585; 682; 744; 819; 910;
    1024; 1170; 1365; 1638; 2730; 4096 ]

let whole = List.filteri (fun i _ -> i mod 4 = 0 || i > 55) slots

let () =
  all "arrays, at the size classes and one word beyond"
    (List.concat_map
       (fun slot -> List.map (fun w -> retains (Printf.sprintf "array of %d words" w) w 1 (fun i -> Array.make (w - 1) i)) [ slot; slot + 1 ])
       whole);
  all "strings" (List.map (fun w -> retains (Printf.sprintf "string of %d words" w) w 1 (fun i -> Bytes.make ((w - 1) * 8 - 1) 'x')) [ 2; 3; 17; 257; 300; 4096; 4097 ]);
  all "float arrays" (List.map (fun w -> retains (Printf.sprintf "float array of %d words" w) w 1 (fun i -> Array.make (w - 1) 0.5)) [ 2; 33; 257; 258; 1000; 4097 ]);
  all "large objects" (List.map (fun w -> retains (Printf.sprintf "large object of %d words" w) w 1 (fun i -> Array.make (w - 1) i)) [ 4097; 8191; 8192; 8193; 20000 ])

let () =
  let a = Sys.opaque_identity 3 and b = Sys.opaque_identity 4 in
  (* header, code, info, two of environment *)
  all "closures" [ retains "closure" 5 1 (fun i -> fun x -> x + a + b);
                   (* header, (code, info), infix header, (code, info), one of environment *)
                   retains "two closures" 7 1 (fun i -> let rec even x = if x = a then true else odd (x - 1) and odd x = if x = a then false else even (x - 1) in even) ];
  all "boxed numbers" [ retains "float" 2 1 (fun i -> Float.of_int i *. 1.5);
                        retains "int64" 3 1 (fun i -> Int64.of_int i);
                        retains "int32" 3 1 (fun i -> Int32.of_int i);
                        retains "cell of a boxed float" 5 2 (fun i -> [ Float.of_int i *. 1.5 ]) ];
  (* header, operations, data, the struct that describes it: 4 + one dimension words; the memory is elsewhere *)
  let words_of_bigarray = 1 + Obj.size (Obj.repr (Bigarray.Array1.create Bigarray.char Bigarray.c_layout 10)) in
  all "custom blocks with a finaliser" [ retains "bigarray" words_of_bigarray 1 (fun i -> Bigarray.Array1.create Bigarray.char Bigarray.c_layout 1000) ];
  all "ephemerons" [ retains "weak array" (1 + 2 + 5) 1 (fun i -> (Weak.create 5 : int ref Weak.t)) ]
