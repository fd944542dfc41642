(* SPDX-License-Identifier: MIT *)
(* Variants, polymorphic variants, GADTs, extensible types, deep patterns. *)
type shape = Point | Circle of float | Rect of float * float | Poly of (float * float) list
type _ expr = Int : int -> int expr | Bool : bool -> bool expr | Add : int expr * int expr -> int expr | If : bool expr * 'a expr * 'a expr -> 'a expr | Eq : int expr * int expr -> bool expr | Pair : 'a expr * 'b expr -> ('a * 'b) expr | Fst : ('a * 'b) expr -> 'a expr
let rec eval : type a. a expr -> a = function
  | Int n -> n | Bool b -> b | Add (a, b) -> eval a + eval b | If (c, t, e) -> if eval c then eval t else eval e
  | Eq (a, b) -> eval a = eval b | Pair (a, b) -> (eval a, eval b) | Fst p -> fst (eval p)
type ext = ..
type ext += E1 | E2 of int
module M = struct type ext += E3 of string end
let ext_name = function E1 -> "E1" | E2 n -> "E2 " ^ string_of_int n | M.E3 s -> "E3 " ^ s | _ -> "?"
type big = C0 | C1 | C2 | C3 | C4 | C5 | C6 | C7 | D0 of int | D1 of int | D2 of int | D3 of int * int | D4 of string | D5 of big
let rec score = function
  | C0 -> 0 | C1 -> 1 | C2 -> 2 | C3 -> 3 | C4 -> 4 | C5 -> 5 | C6 -> 6 | C7 -> 7 | D0 n -> n | D1 n -> n * 2 | D2 n when n > 5 -> 100
  | D2 _ -> 50 | D3 (a, b) -> a * b | D4 s -> String.length s | D5 (D5 x) -> 1000 + score x | D5 x -> score x
let area = function Point -> 0. | Circle r -> 3. *. r *. r | Rect (a, b) -> a *. b | Poly l -> List.fold_left (fun s (x, y) -> s +. (x *. y)) 0. l
let pv = function `A -> "A" | `B n -> "B" ^ string_of_int n | `C (a, b) -> a ^ b | `D l -> String.concat "," l
let () =
  List.iter (fun s -> Printf.printf "%g\n" (area s)) [ Point; Circle 1.5; Rect (2., 3.); Poly [ (1., 2.); (3., 4.) ] ];
  Printf.printf "%d %b\n" (eval (If (Eq (Add (Int 1, Int 2), Int 3), Fst (Pair (Int 10, Bool false)), Int 20))) (eval (Eq (Int 1, Int 2)));
  List.iter (fun e -> print_endline (ext_name e)) [ E1; E2 5; M.E3 "x" ];
  List.iter (fun b -> Printf.printf "%d " (score b)) [ C0; C1; C2; C3; C4; C5; C6; C7; D0 9; D1 9; D2 6; D2 5; D3 (3, 4); D4 "four"; D5 C7; D5 (D5 (D3 (2, 2))) ];
  print_newline ();
  List.iter (fun v -> print_endline (pv v)) [ `A; `B 3; `C ("x", "y"); `D [ "p"; "q" ] ];
  Printf.printf "%b %b %d\n" (`A = `A) (compare `A (`B 1) = compare `A (`B 1)) (Hashtbl.hash `Foo);
  let classify = function 0, _ | _, 0 -> "zero" | a, b when a = b -> "equal" | (1 | 2 | 3), _ -> "small" | _ -> "other" in
  List.iter (fun p -> print_endline (classify p)) [ (0, 1); (1, 0); (5, 5); (2, 9); (9, 8) ];
  let chars c = match c with 'a' .. 'f' -> 1 | 'g' | 'h' -> 2 | '0' .. '9' -> 3 | '\000' .. '\031' -> 4 | _ -> 5 in
  String.iter (fun c -> print_int (chars c)) "agh0Z\n\200"; print_newline ();
  (match [ 1; 2; 3; 4 ] with a :: (b :: _ as t) -> Printf.printf "%d %d %d\n" a b (List.length t) | _ -> ());
  (match (Some (Ok [| 1; 2 |]) : (int array, string) result option) with Some (Ok [| a; b |]) -> Printf.printf "%d %d\n" a b | _ -> print_endline "no")
