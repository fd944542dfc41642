(* SPDX-License-Identifier: MIT *)
(* Term rewriting: normal forms of arithmetic terms over successor numbers, by rules that are matched from the innermost
   redex; bindings are association lists. *)
type term = Var of int | App of string * term list

let rec matches binding pattern term =
  match (pattern, term) with
  | Var n, _ -> (
      match List.assoc_opt n binding with
      | None -> (n, term) :: binding
      | Some t -> if t = term then binding else raise_notrace Exit)
  | App (f, ps), App (g, ts) when String.equal f g -> List.fold_left2 matches binding ps ts
  | _ -> raise_notrace Exit

let rec instance binding = function
  | Var n -> List.assoc n binding
  | App (f, ts) -> App (f, List.map (instance binding) ts)

let zero = App ("0", [])
let succ t = App ("s", [ t ])
let add a b = App ("+", [ a; b ])
let mul a b = App ("*", [ a; b ])
let power a b = App ("^", [ a; b ])
let x = Var 0
let y = Var 1

let rules =
  [ (add zero x, x); (add (succ x) y, succ (add x y));
    (mul zero x, zero); (mul (succ x) y, add y (mul x y));
    (power x zero, succ zero); (power x (succ y), mul x (power x y)) ]

let rec normal term =
  Probe.pass ();
  match term with
  | Var _ -> term
  | App (f, ts) -> rewrite (App (f, List.map normal ts)) rules

and rewrite term = function
  | [] -> term
  | (left, right) :: rest -> (
      match matches [] left term with
      | binding -> normal (instance binding right)
      | exception Exit -> rewrite term rest)

let rec number n = if n = 0 then zero else succ (number (n - 1))
let rec size = function Var _ -> 1 | App (_, ts) -> List.fold_left (fun n t -> n + size t) 1 ts

let () =
  let total = ref 0 in
  for _ = 1 to Probe.scale 900 do
    total := !total + size (normal (power (number 3) (number 4))) + size (normal (mul (number 9) (add (number 8) (number 7))))
  done;
  Probe.finish !total
