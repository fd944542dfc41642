(* SPDX-License-Identifier: MIT *)
(* Marshal beside stock, byte for byte: each kind of value with each set of flags, sizes next to where a code or a
   header gets another form, and the messages of exceptions, of writing and of reading. *)
external data_size : bytes -> int -> int = "caml_marshal_data_size"

let flag_sets =
  Marshal.[ []; [ No_sharing ]; [ Closures ]; [ Compat_32 ]; [ No_sharing; Closures ]; [ No_sharing; Compat_32 ]; [ Closures; Compat_32 ];
            [ No_sharing; Closures; Compat_32 ] ]

let outcome f =
  try f () with
  | Failure m -> "Failure " ^ m
  | Invalid_argument m -> "Invalid_argument " ^ m
  | End_of_file -> "End_of_file"
  | Out_of_memory -> "Out_of_memory"

(* What it was like to write and to read again. [code]: there is the digest of the program's code in it, which in native code is another with
   each runtime. *)
let write ?(code = false) name v =
  List.iteri
    (fun i flags ->
      let said =
        outcome (fun () ->
            let s = Marshal.to_string v flags in
            let again = Marshal.to_string (Marshal.from_string s 0) flags in
            Printf.sprintf "%d %s %b %d %d" (String.length s) (if code then "-" else Digest.to_hex (Digest.string s)) (s = again)
              (data_size (Bytes.of_string s) 0) (Marshal.total_size (Bytes.of_string s) 0))
      in
      Printf.printf "%s %d: %s\n" name i said)
    flag_sets

let integers () =
  List.iter
    (fun n -> List.iter (fun d -> write (Printf.sprintf "int %d" (n + d)) (n + d)) [ -1; 0; 1 ])
    [ 0; 63; 127; -128; 32767; -32768; 1 lsl 29; 1 lsl 30; -(1 lsl 30); 1 lsl 31; -(1 lsl 31); 1 lsl 32; max_int - 1; min_int + 1 ]

let sizes () =
  List.iter (fun n -> write (Printf.sprintf "string %d" n) (String.make n 's')) [ 0; 1; 7; 8; 31; 32; 255; 256; 65535; 65536 ];
  List.iter (fun n -> write (Printf.sprintf "floats %d" n) (Array.init n float_of_int)) [ 0; 1; 255; 256; 257; 70_000 ];
  List.iter (fun n -> write (Printf.sprintf "array %d" n) (Array.init n Fun.id)) [ 1; 7; 8; 255; 256; 257; 4000; 70_000 ];
  List.iter (fun t -> let b = Obj.new_block t 3 in for i = 0 to 2 do Obj.set_field b i (Obj.repr i) done; write (Printf.sprintf "tag %d" t) b) [ 0; 15; 16; 243 ];
  List.iter (fun t -> write (Printf.sprintf "atom %d" t) (Obj.new_block t 0)) [ 0; 15; 16 ];
  (* References over each distance that has a code of its own; shared and not. *)
  List.iter (fun n -> let x = ref 1 in write (Printf.sprintf "far %d" n) (x, List.init n (fun i -> ref i), x)) [ 126; 127; 128; 32766; 32767; 32768 ];
  write "wide" (List.init 300 (fun i -> String.make (i mod 70) 'w'))

let kinds () =
  write "float" 1.5;
  write "nan" [ nan; infinity; -0. ];
  write "boxed" (List.init 5 (fun i -> (Int32.of_int (i - 2), Int64.shift_left 1L (i * 15), Nativeint.shift_left 1n (i * 15))));
  write "nativeint" [ 0x7fff_ffffn; 0x8000_0000n; -0x8000_0000n; -0x8000_0001n ];
  write "lazy forced" (let l = lazy (ref 3) in ignore (Lazy.force l); (l, l));
  write "lazy float" (let l = lazy (1.5 +. float_of_int (Array.length Sys.argv)) in ignore (Lazy.force l); l);
  write "lazy value" (Lazy.from_val [ 1 ]);
  write "exception" (Failure "x");
  write "variants" [ `A; `Other (`B 3) ];
  List.iter
    (fun n ->
      write (Printf.sprintf "bigarray %d" n) (Bigarray.(Array1.init int c_layout n (fun i -> i)));
      write (Printf.sprintf "bigarray2 %d" n) (Bigarray.(Array2.init float32 fortran_layout 3 n (fun i j -> float_of_int (i * j))));
      write (Printf.sprintf "bigarray0 %d" n) (Bigarray.(Array0.init int16_unsigned c_layout n));
      write (Printf.sprintf "complex %d" n) (Bigarray.(Array1.init complex64 c_layout n (fun i -> { Complex.re = float_of_int i; im = 2. }))))
    [ 0; 1; 65534; 65535; 65536 ];
  write "bigarray wide" (Bigarray.(Array1.of_array nativeint c_layout [| Nativeint.shift_left 1n 40 |]))

let refused () =
  write ~code:true "function" succ;
  write ~code:true "closure" (let n = Array.length Sys.argv in fun x -> x + n);
  write "abstract" (Obj.new_block Obj.abstract_tag 1);
  write "channel" stdout;
  write "mutex" (Mutex.create ());
  write ~code:true "lazy" (lazy (print_int 1));
  write ~code:true "in a list" [ Obj.repr 1; Obj.repr succ ];
  write "weak" (Weak.create 3)

let read name s at = Printf.printf "%s: %s\n" name (outcome (fun () -> Obj.tag (Marshal.from_string s at) |> string_of_int))

(* The same bytes from a channel. *)
let read_channel name s =
  let file = Filename.temp_file "bac" ".bin" in
  Out_channel.with_open_bin file (fun oc -> output_string oc s);
  let said = outcome (fun () -> In_channel.with_open_bin file (fun ic -> string_of_int (Obj.tag (Obj.repr (input_value ic))))) in
  Sys.remove file;
  Printf.printf "%s (channel): %s\n" name said

let damaged () =
  let s = Marshal.to_string (1, [ "two"; "three" ], 4.) [] in
  let n = String.length s in
  List.iter (fun k -> read (Printf.sprintf "first %d" k) (String.sub s 0 k) 0; read_channel (Printf.sprintf "first %d" k) (String.sub s 0 k))
    [ 0; 1; 4; 5; 10; 15; 16; 19; 20; 21; n - 1; n ];
  read "beyond" s (n + 1);
  read "negative" s (-1);
  read "end" s n;
  read "magic" ("X" ^ String.sub s 1 (n - 1)) 0;
  read_channel "magic" ("X" ^ String.sub s 1 (n - 1));
  read "compressed" "\x84\x95\xa6\xbd\x0a\x05\x05\x00\x00\x00.....     " 0;
  read_channel "compressed" "\x84\x95\xa6\xbd\x0a\x05\x05\x00\x00\x00.....     ";
  List.iter (fun at -> Printf.printf "data_size %d: %s\n" at (outcome (fun () -> string_of_int (data_size (Bytes.of_string s) at)))) [ 0; 1; n; n - 16 ];
  List.iter (fun k -> Printf.printf "total_size %d: %s\n" k (outcome (fun () -> string_of_int (Marshal.total_size (Bytes.sub (Bytes.of_string s) 0 k) 0))))
    [ 0; 15; 16; 20; n ];
  let custom name = Marshal.to_string 1L [] |> String.split_on_char '_' |> function [ a; b ] -> a ^ "_" ^ name ^ String.sub b 1 (String.length b - 1) | _ -> assert false in
  read "unknown custom" (custom "?") 0

let buffers () =
  let b = Bytes.make 60 '.' in
  let v = List.init 10 Fun.id in
  let size = String.length (Marshal.to_string v []) in
  List.iter (fun (at, len) -> Printf.printf "to_buffer %d %d: %s\n" at len (outcome (fun () -> string_of_int (Marshal.to_buffer b at len v []))))
    [ (0, size); (0, size - 1); (5, size); (60 - size, size); (61 - size, size); (0, 19); (0, 0); (-1, 5); (0, 61) ];
  print_endline (Digest.to_hex (Digest.bytes b));
  Printf.printf "not binary: %s\n" (outcome (fun () -> set_binary_mode_out stdout false; output_value stdout 1; "written"))

let () =
  integers ();
  sizes ();
  kinds ();
  refused ();
  damaged ();
  buffers ()
