(* SPDX-License-Identifier: MIT *)
(* Int32, Int64, Nativeint. *)
let i32 = [ 0l; 1l; -1l; 7l; -7l; Int32.max_int; Int32.min_int; 0x12345678l ]
let i64 = [ 0L; 1L; -1L; 7L; -7L; Int64.max_int; Int64.min_int; 0x123456789ABCDEFL ]
let guard f = match f () with s -> s | exception Division_by_zero -> "div0" | exception Failure m -> "Failure " ^ m
let () =
  List.iter (fun a -> List.iter (fun b ->
      Printf.printf "%ld %ld %ld %s %s %d %ld %ld %ld %b\n" (Int32.add a b) (Int32.sub a b) (Int32.mul a b)
        (guard (fun () -> Int32.to_string (Int32.div a b))) (guard (fun () -> Int32.to_string (Int32.rem a b)))
        (Int32.compare a b) (Int32.logand a b) (Int32.logor a b) (Int32.logxor a b) (a = b)) i32) i32;
  List.iter (fun a -> List.iter (fun b ->
      Printf.printf "%Ld %Ld %Ld %s %s %d %d %Lx %b\n" (Int64.add a b) (Int64.sub a b) (Int64.mul a b)
        (guard (fun () -> Int64.to_string (Int64.div a b))) (guard (fun () -> Int64.to_string (Int64.rem a b)))
        (Int64.compare a b) (Int64.unsigned_compare a b) (Int64.logxor a b) (a < b)) i64) i64;
  List.iter (fun a ->
      Printf.printf "%Ld %Ld %Ld %Ld %ld %nd %d %h\n" (Int64.shift_left a 5) (Int64.shift_right a 5)
        (Int64.shift_right_logical a 5) (Int64.neg a) (Int64.to_int32 a) (Int64.to_nativeint a) (Int64.to_int a)
        (Int64.to_float a);
      Printf.printf "%h %Ld\n" (Int64.float_of_bits a) (Int64.bits_of_float (Int64.float_of_bits a))) i64;
  List.iter (fun a ->
      Printf.printf "%ld %ld %ld %h %d %ld\n" (Int32.shift_left a 3) (Int32.shift_right a 3)
        (Int32.shift_right_logical a 3) (Int32.to_float a) (Int32.to_int a) (Int32.of_int (Int32.to_int a * 17));
      Printf.printf "%h\n" (Int32.float_of_bits a)) i32;
  List.iter (fun s ->
      print_endline (guard (fun () -> Int64.to_string (Int64.of_string s)));
      print_endline (guard (fun () -> Int32.to_string (Int32.of_string s)));
      print_endline (guard (fun () -> Nativeint.to_string (Nativeint.of_string s))))
    [ "1"; "-0x80000000"; "0xFFFFFFFF"; "2147483648"; "9223372036854775807"; "9223372036854775808"; "0u18446744073709551615"; "x"; "" ];
  Printf.printf "%Lu %Lo %LX %+Ld % Ld %020Ld %-20Ld|\n" (-1L) (-1L) 255L 5L 5L 5L 5L;
  Printf.printf "%s %s\n" (Int64.to_string (Int64.unsigned_div (-1L) 10L)) (Int64.to_string (Int64.unsigned_rem (-1L) 10L));
  Printf.printf "%nd %nx\n" Nativeint.max_int Nativeint.min_int;
  Printf.printf "%b %b\n" (compare 1L 2L < 0) (Hashtbl.hash 1L = Hashtbl.hash 1L)
