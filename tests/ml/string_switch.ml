(* SPDX-License-Identifier: MIT *)
(* Jump tables and the many compiled forms of match. *)
let day = function 0 -> "sun" | 1 -> "mon" | 2 -> "tue" | 3 -> "wed" | 4 -> "thu" | 5 -> "fri" | 6 -> "sat" | n when n < 0 -> "neg" | _ -> "big"
let sparse = function 1 -> 'a' | 10 -> 'b' | 100 -> 'c' | 1000 -> 'd' | 10_000 -> 'e' | -5 -> 'f' | _ -> 'z'
let f = function 1.5 -> 1 | 2.5 -> 2 | _ -> 0
let i64 = function 1L -> 1 | 0x7FFFFFFFFFFFFFFFL -> 2 | _ -> 0
let arr = function [||] -> 0 | [| x |] -> x | [| x; y |] -> x + y | _ -> -1
let kw = function "and" | "as" -> 1 | "assert" -> 2 | "begin" -> 3 | "class" -> 4 | "constraint" -> 5 | "do" | "done" | "downto" -> 6 | "a much longer keyword than the others" -> 7 | _ -> 0
let lst = function [] -> "0" | [ _ ] -> "1" | [ _; _ ] -> "2" | 1 :: _ -> "1.." | _ :: 2 :: _ -> "_2.." | _ -> "many"
let tup = function true, Some 1, _ -> 1 | true, _, "x" -> 2 | false, None, s -> String.length s | _, Some n, _ -> n | _ -> -1
let () =
  for i = -1 to 8 do print_string (day i ^ " ") done; print_newline ();
  List.iter (fun n -> print_char (sparse n)) [ 1; 10; 100; 1000; 10_000; -5; 0; 99 ]; print_newline ();
  List.iter (fun x -> print_int (f x)) [ 1.5; 2.5; 3.5; nan ]; List.iter (fun x -> print_int (i64 x)) [ 1L; Int64.max_int; 0L ]; List.iter (fun x -> print_int (arr x)) [ [||]; [| 5 |]; [| 5; 6 |]; [| 1; 2; 3 |] ]; print_newline ();
  List.iter (fun x -> print_int (kw x)) [ "and"; "as"; "assert"; "asserts"; "begin"; "class"; "constraint"; "do"; "done"; "downto"; "a much longer keyword than the others"; "a much longer keyword than the otherz"; "" ]; print_newline ();
  List.iter (fun x -> print_string (lst x ^ " ")) [ []; [ 1 ]; [ 1; 2 ]; [ 1; 2; 3 ]; [ 5; 2; 3 ]; [ 5; 5; 5 ] ]; print_newline ();
  List.iter (fun x -> Printf.printf "%d " (tup x)) [ (true, Some 1, ""); (true, None, "x"); (false, None, "abc"); (false, Some 9, ""); (true, None, "y") ]; print_newline ();
  for c = 0 to 255 do print_char (match Char.chr c with 'a' .. 'z' -> 'l' | 'A' .. 'Z' -> 'u' | '0' .. '9' -> 'd' | ' ' | '\t' .. '\r' -> 's' | '\128' .. '\255' -> 'h' | _ -> '.') done; print_newline ()
