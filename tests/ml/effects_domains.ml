(* SPDX-License-Identifier: MIT *)
(* Effects on several domains at once, continuations across collections. *)
open Effect
open Effect.Deep
type _ Effect.t += Y : int -> int Effect.t
let work seed =
  let rec fib n = if n < 2 then n else fib (n-1) + fib (n-2) in
  let gen () = match_with (fun () -> let s = ref 0 in for i = 1 to 2000 do s := !s + perform (Y i) done; !s) ()
    { retc = Fun.id; exnc = raise; effc = fun (type a) (e : a Effect.t) -> match e with
      | Y n -> Some (fun (k : (a, _) continuation) -> ignore (List.init (n mod 10) string_of_int); continue k (n * seed)) | _ -> None } in
  let ks = List.init 20 (fun i -> match_with (fun () -> perform (Y i)) () { retc = (fun x -> fun _ -> x); exnc = raise;
     effc = fun (type a) (e : a Effect.t) -> match e with Y n -> Some (fun (k : (a, _) continuation) -> fun m -> continue k (n + m) m) | _ -> None }) in
  let a = gen () in
  let h = Hashtbl.create 10 in
  for i = 1 to 20000 do Hashtbl.replace h (string_of_int i) (i, [i]) done;
  if seed = 1 then Gc.compact () else Gc.minor ();
  let s = List.fold_left (fun s k -> s + k seed) 0 ks in
  a + s + fib 20 + Hashtbl.length h
let expect seed = 2001000 * seed + 190 + 20 * seed + 6765 + 20000
let () =
  for round = 1 to 5 do
    let ds = List.init 4 (fun i -> Domain.spawn (fun () -> work (i + 1))) in
    let r = List.map Domain.join ds in
    print_endline (if r = List.init 4 (fun i -> expect (i + 1)) then "ok" else "not ok")
  done;
  let d = Domain.spawn (fun () -> failwith "in domain") in
  print_endline (try Domain.join d; "not ok" with Failure m -> "ok " ^ m);
  let d = Domain.spawn (fun () -> perform (Y 1)) in
  print_endline (try ignore (Domain.join d); "not ok" with Unhandled _ -> "ok unhandled")
