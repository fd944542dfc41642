(* SPDX-License-Identifier: MIT *)
(* runparam: l=8M *)
(* Effects on bytecode fibers: deep and shallow handlers, reperform, exceptions
   through handlers, extra arguments across handlers, generators, deep stacks,
   continuations across collections, misuse. *)
open Effect
open Effect.Deep

let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)

type _ Effect.t += Get : int Effect.t | Put : int -> unit Effect.t | Ask : string -> string Effect.t
  | Yield : int -> unit Effect.t | Nobody : unit Effect.t | Swap : int -> int Effect.t

let with_state (init : int) f =
  let state = ref init in
  let r = match_with f ()
    { retc = (fun r -> r); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Get -> Some (fun (k : (a, _) continuation) -> continue k !state)
        | Put n -> Some (fun (k : (a, _) continuation) -> state := n; continue k ())
        | _ -> None } in
  (r, !state)

let () = check "state" (with_state 3 (fun () ->
  let a = perform Get in perform (Put (a * 2)); perform Get + 1) = (7, 6))

(* Inner handlers pass on what they do not know. *)
let rec nest n f () =
  if n = 0 then f () else
  match_with (nest (n - 1) f) ()
    { retc = (fun x -> x); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Ask _ -> Some (fun (k : (a, _) continuation) -> continue k "inner")
        | _ -> None }

let () =
  let body () = let s = perform (Ask "x") in
    let rec loop i acc = if i = 0 then acc else (perform (Put (perform Get + 1)); loop (i - 1) (acc + String.length s)) in
    loop 1000 0 in
  check "reperform" (with_state 0 (nest 50 body) = (5000, 1000))

(* Over-application around a handler in tail position. *)
let handled_fun () : int -> int -> int =
  match_with (fun () -> let a = perform Get in fun b c -> a + b * c) ()
    { retc = (fun f -> f); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Get -> Some (fun (k : (a, _) continuation) -> continue k 100)
        | _ -> None }
let apply2 f = f () 6 7
let () = check "extra arguments" (apply2 handled_fun = 142)
let handled_exn () : int -> int =
  match_with (fun () -> ignore (Sys.opaque_identity (perform Get)); raise Not_found) ()
    { retc = (fun f -> f); exnc = (fun _ -> fun x -> x + 1);
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Get -> Some (fun (k : (a, _) continuation) -> continue k 1)
        | _ -> None }
let () = check "extra arguments to exnc" (handled_exn () 41 = 42)
let effc_fun () : int -> int =
  match_with (fun () -> perform (Put 1); fun x -> x) ()
    { retc = (fun f -> f); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Put n -> Some (fun (_ : (a, _) continuation) -> fun x -> x + n)
        | _ -> None }
let () = check "extra arguments to effc" (effc_fun () 41 = 42)

(* Exceptions. *)
let () = check "exception out of a fiber"
  (try ignore (with_state 0 (fun () -> if perform Get = 0 then failwith "boom" else 1)); false
   with Failure m -> m = "boom")
let () = check "discontinue"
  (match_with (fun () -> try perform Nobody; "no" with Exit -> "caught") ()
    { retc = Fun.id; exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Nobody -> Some (fun (k : (a, _) continuation) -> discontinue k Exit)
        | _ -> None } = "caught")
let () = check "unhandled" (try perform Nobody; false with Unhandled Nobody -> true)
let () = check "unhandled under handlers"
  (with_state 5 (nest 3 (fun () -> try perform Nobody; 0 with Unhandled Nobody -> perform Get)) = (5, 5))
let () = check "resumed twice"
  (match_with (fun () -> perform (Swap 1)) ()
    { retc = (fun x -> x = 11); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Swap n -> Some (fun (k : (a, _) continuation) ->
            let r = continue k (n + 10) in
            r && (try ignore (continue k 0); false with Continuation_already_resumed -> true))
        | _ -> None })

(* A generator by continuations that are kept while the heap moves. *)
type step = Done | More of int * (unit, step) continuation
let generate f = match_with f ()
  { retc = (fun () -> Done); exnc = raise;
    effc = fun (type a) (e : a Effect.t) -> match e with
      | Yield n -> Some (fun (k : (a, _) continuation) -> More (n, k))
      | _ -> None }
let rec deep n f = if n = 0 then f () else 1 + deep (n - 1) f
let () =
  let gens = Array.init 50 (fun i -> generate (fun () ->
    let l = List.init 20 (fun j -> string_of_int (i + j)) in
    ignore (deep (i * 40) (fun () -> List.iter (fun s -> Yield (int_of_string s) |> perform) l; 0)))) in
  let sum = ref 0 in
  let live = ref true in
  while !live do
    live := false;
    Array.iteri (fun i g -> match g with
      | Done -> ()
      | More (n, k) ->
        live := true; sum := !sum + n;
        if i mod 7 = 0 then Gc.minor ();
        if i mod 49 = 0 then Gc.full_major ();
        ignore (Sys.opaque_identity (List.init 100 Fun.id));
        gens.(i) <- continue k ()) gens
  done;
  check "generators" (!sum = (50 * 20 * 9 + 10 * 50) + 20 * (49 * 50 / 2))

(* Continuations that are dropped. *)
let () =
  for _ = 1 to 2000 do
    ignore (Sys.opaque_identity (generate (fun () -> perform (Yield 1); ignore (deep 500 (fun () -> 0)))))
  done;
  Gc.full_major (); check "dropped" true

(* Shallow handlers. *)
let () =
  let open Effect.Shallow in
  let rec run n (k : (int, int) continuation) v = continue_with k v
    { retc = (fun x -> x * 1000 + n); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Swap m -> Some (fun (k : (a, _) continuation) -> run (n + 1) k (m + n))
        | _ -> None } in
  check "shallow" (run 0 (fiber (fun x -> let a = perform (Swap x) in let b = perform (Swap a) in perform (Swap b))) 5 = 8003)

(* Promoted continuation that an outer handler takes after a reperform. *)
let () =
  let inner () = match_with (fun () ->
      let keep = List.init 10 string_of_int in
      let a = perform (Swap 1) in String.concat "" keep ^ string_of_int a) ()
    { retc = (fun x -> [x; "inner"]); exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Swap _ -> Gc.minor (); None
        | _ -> None } in
  let outer () = match_with (fun () -> let own = List.init 5 string_of_int in let l = inner () in l @ own) ()
    { retc = String.concat ","; exnc = raise;
      effc = fun (type a) (e : a Effect.t) -> match e with
        | Swap n -> Some (fun (k : (a, _) continuation) ->
            Gc.minor (); ignore (List.init 10000 string_of_int); Gc.minor (); continue k (n + 1))
        | _ -> None } in
  check "reperform of a promoted continuation" (outer () = "01234567892,inner,0,1,2,3,4")

(* Callbacks are a barrier. *)
let () = check "effect in a callback"
  (fst (with_state 1 (fun () ->
     let a = [| 3; 1; 2 |] in
     let r = try ignore (Hashtbl.hash (Lazy.force (lazy (perform Get)))); 1 with Unhandled _ -> 2 in
     ignore (perform Get); Array.sort compare a; r)) = 1)

(* Deep recursion inside and outside fibers. *)
let rec count n = if n = 0 then 0 else 1 + count (n - 1)
let () = check "deep fiber" (fst (with_state 0 (fun () -> let c = count 300_000 in perform (Put c); c)) = 300_000)
let rec forever n = 1 + forever (n + 1)
let () = check "stack overflow" (try ignore (forever 0); false with Stack_overflow -> true)
let () = check "stack overflow in a fiber"
  (fst (with_state 0 (fun () -> try forever 0 with Stack_overflow -> perform Get)) = 0)
