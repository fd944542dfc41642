(* SPDX-License-Identifier: MIT *)
(* Instructions that everyday programs seldom meet together: partial and over
   application, mutual recursion, big blocks, objects, floats, switches, traps. *)
let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)

let f a b c d e = a + 2 * b + 3 * c + 4 * d + 5 * e
let () =
  let g = f 1 in let h = g 2 3 in let i = h 4 in
  check "partial" (i 5 = 55 && f 1 2 3 4 5 = 55 && (fun x -> f x) 1 2 3 4 5 = 55);
  check "over" (List.fold_left (fun g x -> fun y -> g (x + y)) Fun.id [1; 2; 3] 4 = 10);
  check "many arguments" ((fun a b c d e f g h i j k l -> a - b + c - d + e - f + g - h + i - j + k * l) 1 2 3 4 5 6 7 8 9 10 11 12 = 127)

let rec even n = n = 0 || odd (n - 1) and odd n = n <> 0 && even (n - 1)
let make x y = let rec a n = if n = 0 then x else b (n - 1) and b n = if n = 0 then y else c (n - 1) and c n = if n = 0 then x + y else a (n - 1) in (a, b, c)
let () =
  let a, b, c = make 10 20 in
  Gc.minor ();
  check "mutual recursion" (even 1000 && odd 77 && a 3 = 10 && a 1 = 20 && a 2 = 30 && b 0 = 20 && c 100 = 10)

let big = Array.init 1000 (fun i -> [i])
let literal = [| 1.5; 2.5; 3.5; 4.5; 5.5 |]
type fl = { mutable x : float; y : float }
let () =
  let r = { x = 1.0; y = 2.0 } in
  r.x <- r.x +. r.y;
  check "floats" (r.x = 3.0 && literal.(3) = 4.5 && Array.fold_left (+.) 0. literal = 17.5);
  check "big" (Array.for_all (function [_] -> true | _ -> false) big)

type t = A | B | C | D of int | E of int * int | F of t
let rec rank = function A -> 0 | B -> 1 | C -> 2 | D n -> n | E (a, b) -> a + b | F t -> 10 + rank t
let () = check "switch" (List.map rank [A; B; C; D 5; E (3, 4); F (F C)] = [0; 1; 2; 5; 7; 22])
let str = function "abc" -> 1 | "abd" -> 2 | "" -> 3 | "longer string here" -> 4 | _ -> 5
let () = check "strings" (List.map str ["abc"; "abd"; ""; "longer string here"; "zz"] = [1; 2; 3; 4; 5])

class counter n = object (self)
  val mutable c = n
  method get = c
  method bump = c <- c + 1; self#log
  method private log = ()
  method twice = self#bump; self#bump; self#get
end
class double n = object inherit counter n as super method! get = 2 * super#get method extra = 7 end
let () =
  let sum = ref 0 in
  for i = 1 to 1000 do
    let o = if i mod 2 = 0 then new counter i else (new double i :> counter) in
    sum := !sum + o#twice
  done;
  let s = ref 0 in
  for i = 1 to 1000 do s := !s + (i + 2) * (if i mod 2 = 0 then 1 else 2) done;
  check "objects" (!sum = !s);
  check "structural" (let g o = o#extra + o#get in g (new double 3) = 13);
  let o = object method a = 1 method b x = x + 1 method c = "c" end in
  check "immediate object" (o#a = 1 && o#b 2 = 3 && o#c = "c")

let () =
  check "division" ((try 1 / Sys.opaque_identity 0 with Division_by_zero -> -1) = -1
    && (try 1 mod Sys.opaque_identity 0 with Division_by_zero -> -1) = -1
    && -7 / 2 = -3 && -7 mod 2 = -1 && min_int / Sys.opaque_identity (-1) = min_int);
  check "shifts" (Sys.opaque_identity (-8) lsr 1 = max_int - 3 && (-8) asr 1 = -4 && 1 lsl 61 = 2305843009213693952 && lnot 5 = -6);
  check "wrap" (max_int + 1 = min_int && max_int * 2 = -2 && min_int - 1 = max_int)

exception X of int
let rec thrower n = if n = 0 then raise (X 1) else try thrower (n - 1) with X m when m > n -> m
let () =
  check "nested traps" (try ignore (thrower 10); false with X 1 -> true);
  let r = ref 0 in
  for i = 1 to 10000 do try if i mod 3 = 0 then raise Exit else if i mod 5 = 0 then raise_notrace Not_found with Exit -> incr r | Not_found -> r := !r + 2 done;
  check "loops" (!r = 3333 + 2 * 1334);
  check "finally" (try Fun.protect ~finally:(fun () -> incr r) (fun () -> raise Exit) with Exit -> !r = 6002);
  check "index" (try ignore [|1|].(Sys.opaque_identity 1); false with Invalid_argument m -> m = "index out of bounds")

let () =
  let count = ref 0 in
  let alarm = Gc.create_alarm (fun () -> incr count) in
  for _ = 1 to 5 do Gc.full_major () done;
  Gc.delete_alarm alarm;
  check "alarm" (!count >= 5);
  let fin = ref 0 in
  for i = 1 to 1000 do Gc.finalise (fun r -> fin := !fin + !r) (ref i) done;
  Gc.full_major (); Gc.full_major ();
  check "finalisers" (!fin = 500500);
  let got = ref 0 in
  Sys.set_signal Sys.sigusr1 (Sys.Signal_handle (fun _ -> incr got));
  check "callback order" (List.sort_uniq compare [3; 1; 2; 3] = [1; 2; 3])

let rec f40 n =
  let a0 = n and a1 = n+1 and a2 = n+2 and a3 = n+3 and a4 = n+4 and a5 = n+5 and a6 = n+6 and a7 = n+7 and a8 = n+8 and a9 = n+9
  and b0 = n and b1 = n+1 and b2 = n+2 and b3 = n+3 and b4 = n+4 and b5 = n+5 and b6 = n+6 and b7 = n+7 and b8 = n+8 and b9 = n+9
  and c0 = n and c1 = n+1 and c2 = n+2 and c3 = n+3 and c4 = n+4 and c5 = n+5 and c6 = n+6 and c7 = n+7 and c8 = n+8 and c9 = n+9
  and d0 = n and d1 = n+1 and d2 = n+2 and d3 = n+3 and d4 = n+4 and d5 = n+5 and d6 = n+6 and d7 = n+7 and d8 = n+8 and d9 = n+9 in
  let r = if n = 0 then 0 else f40 (n - 1) in
  r + a0+a1+a2+a3+a4+a5+a6+a7+a8+a9+b0+b1+b2+b3+b4+b5+b6+b7+b8+b9+c0+c1+c2+c3+c4+c5+c6+c7+c8+c9+d0+d1+d2+d3+d4+d5+d6+d7+d8+d9
let () = check "wide frames" (f40 1000 = 40 * 500500 + 180 * 1001)
let () = check "weak closures" (let l = List.init 100 (fun i -> (fun a b -> a + b + i) i) in Gc.compact (); List.fold_left (fun s f -> s + f 1) 0 l = 9900 + 100)
