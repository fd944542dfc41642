(* SPDX-License-Identifier: MIT *)
(* Fibers that grow, with handlers, collections and effects on them. *)
(* runparam: l=4M *)
open Effect
open Effect.Deep
let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
type _ Effect.t += Next : int -> int Effect.t

(* Live values in each frame, a handler in each tenth. *)
let rec descend n acc =
  if n = 0 then (Gc.minor (); List.length acc)
  else if n mod 10 = 0 then (try let r = descend (n - 1) acc in if r < 0 then raise Exit else r with Not_found -> -1)
  else let s = string_of_int n in let r = descend (n - 1) (s :: acc) in r + String.length s - String.length (string_of_int n)
let () = check "deep" (descend 100_000 [] = 90_000)

let rec raise_from n = if n = 0 then raise Exit else try 1 + raise_from (n - 1) with Not_found -> 0
let () = check "many handlers" (match raise_from 200_000 with exception Exit -> true | _ -> false)

(* The same on handlers' fibers, which move when they grow. *)
let in_fiber f = match f () with v -> v | effect Next n, k -> continue k (n + 1)
let () =
  check "deep in a fiber" (in_fiber (fun () -> descend 50_000 []) = 45_000);
  check "many handlers in a fiber" (match in_fiber (fun () -> raise_from 50_000) with exception Exit -> true | _ -> false);
  check "fibers in fibers" (
    let rec nest n = if n = 0 then perform (Next 0) else match nest (n - 1) with v -> v + descend 50 [] | effect Next m, k when m < 0 -> continue k 0 in
    in_fiber (fun () -> nest 300) = 1 + 300 * 45);
  check "perform after growing" (in_fiber (fun () -> let a = descend 3000 [] in let b = perform (Next a) in b + descend 3000 []) = 5401)

(* The handler's frame has moved with the rest: what was changed since is what it sees. *)
let () =
  check "handler after growing" (in_fiber (fun () ->
    let x = ref (perform (Next 0)) and s = ref "before" in
    match x := descend 3000 []; s := String.make 4 'x'; raise Exit with
    | () -> false
    | exception Exit -> !x = 2700 && !s = "xxxx"))

(* The handlers' closures are only known to the fiber. *)
let[@inline never] with_env s =
  match_with (fun () -> Gc.minor (); let n = perform (Next 1) in Gc.full_major (); ignore (Sys.opaque_identity (List.init 5000 string_of_int)); n) ()
    { retc = (fun n -> n + String.length s); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Next n -> Some (fun (k : (a, _) continuation) -> Gc.minor (); continue k (n + String.length s))
        | _ -> None }
let () = check "closures of handlers" (List.for_all (fun i -> with_env (String.make i 'x') = 1 + 2 * i) (List.init 50 Fun.id))

(* Many suspended fibers, of different sizes, resumed and dropped. *)
type 'a step = Done of 'a | Wait of int * (int, 'a step) continuation
let start f = match f () with v -> Done v | effect Next n, k -> Wait (n, k)
let rec at_depth n = if n = 0 then perform (Next 1) else 1 + at_depth (n - 1)
let () =
  let suspended = List.init 2000 (fun i -> start (fun () -> at_depth (i mod 300))) in
  Gc.full_major ();
  let total = List.fold_left (fun acc s -> match s with
    | Wait (_, k) -> (match continue k 5 with Done v -> acc + v | Wait _ -> acc) | Done _ -> acc) 0 suspended in
  check "suspended" (total = List.fold_left (+) 0 (List.init 2000 (fun i -> 5 + i mod 300)));
  for i = 1 to 20_000 do ignore (Sys.opaque_identity (start (fun () -> at_depth (i mod 50)))) done;
  Gc.full_major ();
  check "dropped" true

(* A function of many arguments, of which some are on the stack when it grows. *)
let rec wide a b c d e f g h i j k l m n = if a = 0 then b + c + d + e + f + g + h + i + j + k + l + m + n
  else 1 + wide (a - 1) b c d e f g h i j k l m (n + 0)
let rec widef a (b : float) c d e f g h i j k l = if a = 0 then b +. c +. d +. e +. f +. g +. h +. i +. j +. k +. l
  else 1. +. widef (a - 1) b c d e f g h i j k l
let () =
  check "wide" (in_fiber (fun () -> wide 10_000 1 2 3 4 5 6 7 8 9 10 11 12 13) = 10_091);
  check "wide floats" (in_fiber (fun () -> widef 10_000 1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11.) = 10_066.)

let rec forever n = 1 + forever (n + 1)
let () =
  check "overflow" (match forever 0 with exception Stack_overflow -> true | _ -> false);
  check "overflow in a fiber" (match in_fiber (fun () -> forever 0) with exception Stack_overflow -> true | _ -> false);
  check "overflow in a domain" (Domain.join (Domain.spawn (fun () -> match forever 0 with exception Stack_overflow -> true | _ -> false)));
  check "and again" (match forever 0 with exception Stack_overflow -> true | _ -> false)
