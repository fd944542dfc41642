(* SPDX-License-Identifier: MIT *)
(* with: calc_parser.mly calc_lexer.mll *)
(* A lexer by ocamllex and a parser by ocamlyacc: Lexing and Parsing at work. *)
let eval s =
  let lexbuf = Lexing.from_string s in
  match Calc_parser.main Calc_lexer.token lexbuf with
  | n -> Printf.printf "%s = %d\n" s n
  | exception Parsing.Parse_error -> Printf.printf "%s: parse error at %d\n" s (Lexing.lexeme_start lexbuf)
  | exception Calc_lexer.Bad c -> Printf.printf "%s: bad character %C\n" s c
  | exception Division_by_zero -> Printf.printf "%s: division by zero\n" s
let () =
  List.iter eval [ "1+2*3"; "(1+2)*3"; "-4-5"; "2*(3+4)*5-6/2"; "1+"; "1 $ 2"; "10/(5-5)"; "  42 "; "((((7))))"; "1-2-3-4"; "" ];
  let long = String.concat "+" (List.init 2000 string_of_int) in
  let lexbuf = Lexing.from_function (let pos = ref 0 in fun b n -> let k = min n (min 7 (String.length long - !pos)) in Bytes.blit_string long !pos b 0 k; pos := !pos + k; k) in
  Printf.printf "%d\n" (Calc_parser.main Calc_lexer.token lexbuf);
  let deep = String.make 500 '(' ^ "1" ^ String.make 500 ')' in
  Printf.printf "%d\n" (Calc_parser.main Calc_lexer.token (Lexing.from_string deep));
  let lexbuf = Lexing.from_string "1 +\n 2 * x" in
  (try ignore (Calc_parser.main Calc_lexer.token lexbuf) with Calc_lexer.Bad c -> Printf.printf "%C line %d\n" c lexbuf.lex_curr_p.pos_lnum)
