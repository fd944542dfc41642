(* SPDX-License-Identifier: MIT *)
{
open Calc_parser
exception Bad of char
}
rule token = parse
  | [' ' '\t'] { token lexbuf }
  | '\n' { Lexing.new_line lexbuf; token lexbuf }
  | ['0'-'9']+ as n { INT (int_of_string n) }
  | '+' { PLUS } | '-' { MINUS } | '*' { TIMES } | '/' { DIV }
  | '(' { LEFT } | ')' { RIGHT }
  | eof { EOF }
  | _ as c { raise (Bad c) }
