(* SPDX-License-Identifier: MIT *)
(* Integer arithmetic at its edges. *)
let show = Printf.printf "%d\n"
let edges = [ 0; 1; -1; 2; -2; 3; 7; -7; 42; max_int; min_int; max_int - 1; min_int + 1; 1 lsl 31; 1 lsl 32; -(1 lsl 31) ]
let attempt f a b = match f a b with r -> string_of_int r | exception Division_by_zero -> "div0"
let () =
  List.iter (fun a ->
      List.iter (fun b ->
          Printf.printf "%d %d: %d %d %d %s %s %b %d %d %d %d\n" a b (a + b) (a - b) (a * b) (attempt ( / ) a b)
            (attempt ( mod ) a b) (a < b) (compare a b) (a land b) (a lor b) (a lxor b))
        edges)
    edges;
  List.iter (fun a ->
      for s = 0 to 62 do
        if s mod 7 = 0 then Printf.printf "%d<<%d %d %d %d\n" a s (a lsl s) (a lsr s) (a asr s)
      done;
      show (lnot a); show (-a); show (abs a); show (succ a); show (pred a))
    edges;
  List.iter (fun s ->
      print_endline (match int_of_string s with n -> string_of_int n | exception Failure m -> "Failure " ^ m))
    [ "12"; "-12"; "+5"; "0x1F"; "0o17"; "0b101"; "0u123"; "1_000"; ""; "-"; "0x"; "12a"; "4611686018427387903";
      "4611686018427387904"; "-4611686018427387904"; "-4611686018427387905"; "0x7FFFFFFFFFFFFFFF"; "0xFFFFFFFFFFFFFFFFF";
      "0u9223372036854775807"; "_1"; "1_"; " 1" ];
  show (Int.min 3 4); show (Int.max 3 4); show (Int.of_float (-3.7)); show (Int.shift_right_logical (-1) 60);
  let sum = ref 0 in
  for i = 1 to 100_000 do sum := !sum + (i * i mod 7) done;
  show !sum;
  for i = 5 downto 1 do show i done;
  for _ = 1 to 0 do show 99 done;
  let i = ref 0 in
  while !i < 3 do incr i; show !i done
