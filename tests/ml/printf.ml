(* SPDX-License-Identifier: MIT *)
(* Printf, all conversions. *)
let () =
  let open Printf in
  printf "%d %i %u %x %X %o %B\n" (-5) 6 7 255 255 8 true;
  printf "%5d|%-5d|%05d|%+d|% d|%#x|%#X|%#o\n" 42 42 42 42 42 255 255 8;
  printf "%s|%10s|%-10s|%S|%c|%C|%%|%B|%b\n" "str" "right" "left" "q\"\n" 'c' '\n' true false;
  printf "%a|%t|%!\n" (fun oc n -> output_string oc (string_of_int n)) 5 (fun oc -> output_string oc "t");
  printf "%*d|%-*d|%.*f\n" 6 42 6 42 3 3.14159;
  printf "%ld %nd %Ld %lx %nX %Lo\n" 5l 6n 7L 255l 255n 8L;
  printf "%(%d %s%)\n" "%d:%s" 5 "x";
  printf "%{%d%} %s\n" "%i" "y";
  print_endline (sprintf "%s" (string_of_format "%d and %s"));
  ignore (ksprintf (fun s -> print_endline ("k " ^ s)) "%d-%d" 1 2);
  ifprintf stdout "%d" 5;
  eprintf "to stderr %d\n" 9;
  let f = format_of_string "%d %s\n" in
  printf (f ^^ "%c\n") 1 "a" 'z';
  printf "%#d %#i\n" 1_000_000 (-1234567);
  let partial = printf "%d %d %d %d %d %d %d %d\n" 1 2 3 4 in
  partial 5 6 7 8;
  partial 9 9 9 9;
  printf "@[not format@] @@ %d@\n" 3;
  printf "%-8s|%8s|\n" "ab" "cd";
  printf "%x %X %o\n" (-1) (-1) (-1)
