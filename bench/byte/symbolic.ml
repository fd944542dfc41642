(* SPDX-License-Identifier: MIT *)
(* Symbols: expressions are derived, simplified, substituted, printed, and evaluated again; lambda terms are normalised. *)
type expr = Num of int | Var of string | Add of expr * expr | Mul of expr * expr | Pow of expr * int | Neg of expr

let rec derive x = function
  | Num _ -> Num 0
  | Var y -> Num (if x = y then 1 else 0)
  | Add (a, b) -> Add (derive x a, derive x b)
  | Mul (a, b) -> Add (Mul (derive x a, b), Mul (a, derive x b))
  | Pow (a, n) -> Mul (Mul (Num n, Pow (a, n - 1)), derive x a)
  | Neg a -> Neg (derive x a)

let rec simplify = function
  | Add (a, b) -> (
      match (simplify a, simplify b) with
      | Num 0, e | e, Num 0 -> e
      | Num a, Num b -> Num (a + b)
      | a, Neg b when a = b -> Num 0
      | a, b -> Add (a, b))
  | Mul (a, b) -> (
      match (simplify a, simplify b) with
      | Num 0, _ | _, Num 0 -> Num 0
      | Num 1, e | e, Num 1 -> e
      | Num a, Num b -> Num (a * b)
      | Num a, Mul (Num b, e) -> Mul (Num (a * b), e)
      | a, b -> Mul (a, b))
  | Pow (_, 0) -> Num 1
  | Pow (a, 1) -> simplify a
  | Pow (a, n) -> Pow (simplify a, n)
  | Neg a -> ( match simplify a with Num n -> Num (-n) | Neg e -> e | e -> Neg e)
  | (Num _ | Var _) as e -> e

let rec substitute x by = function
  | Var y when x = y -> by
  | (Num _ | Var _) as e -> e
  | Add (a, b) -> Add (substitute x by a, substitute x by b)
  | Mul (a, b) -> Mul (substitute x by a, substitute x by b)
  | Pow (a, n) -> Pow (substitute x by a, n)
  | Neg a -> Neg (substitute x by a)

let rec power b n = if n <= 0 then 1 else b * power b (n - 1) land 0xffff_ffff

let rec eval env = function
  | Num n -> n
  | Var x -> List.assoc x env
  | Add (a, b) -> (eval env a + eval env b) land 0xffff_ffff
  | Mul (a, b) -> eval env a * eval env b land 0xffff_ffff
  | Pow (a, n) -> power (eval env a) n
  | Neg a -> -eval env a

let rec size = function Num _ | Var _ -> 1 | Add (a, b) | Mul (a, b) -> 1 + size a + size b | Pow (a, _) | Neg a -> 1 + size a

let rec polynomial n = if n = 0 then Var "y" else Add (Mul (Num n, Pow (Var "x", n)), Neg (Mul (Var "y", polynomial (n - 1))))

(* Terms with indices: Church numerals are multiplied. *)
type term = Index of int | Lambda of term | Apply of term * term

let rec lift by from = function
  | Index i -> Index (if i >= from then i + by else i)
  | Lambda t -> Lambda (lift by (from + 1) t)
  | Apply (t, u) -> Apply (lift by from t, lift by from u)

let rec replace depth u = function
  | Index i -> if i = depth then lift depth 0 u else if i > depth then Index (i - 1) else Index i
  | Lambda t -> Lambda (replace (depth + 1) u t)
  | Apply (t, v) -> Apply (replace depth u t, replace depth u v)

let rec normal t = match head t with Lambda t -> Lambda (normal t) | Apply (t, u) -> Apply (normal t, normal u) | Index _ as t -> t

and head = function
  | Apply (t, u) -> ( match head t with Lambda body -> head (replace 0 u body) | t -> Apply (t, u))
  | t -> t

let church n =
  let rec body n = if n = 0 then Index 0 else Apply (Index 1, body (n - 1)) in
  Lambda (Lambda (body n))

let times = Lambda (Lambda (Lambda (Apply (Index 2, Apply (Index 1, Index 0)))))
let rec count = function Lambda t -> count t | Apply (_, u) -> 1 + count u | Index _ -> 0

let () =
  let sum = ref 0 in
  for i = 1 to 300 do
    let once = simplify (derive "x" (polynomial 24)) in
    let twice = simplify (derive "x" once) in
    let three = simplify (substitute "y" (Add (Var "x", Num i)) twice) in
    sum := (!sum + eval [ ("z", 0); ("y", 2); ("x", i) ] three + size three) land 0xffff_ffff
  done;
  for n = 1 to 60 do
    sum := !sum + count (normal (Apply (Apply (times, church n), church 80)))
  done;
  Printf.printf "%d\n" !sum
