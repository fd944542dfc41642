(* SPDX-License-Identifier: MIT *)
(* Deep handlers: state, generators, exceptions through handlers, nesting, schedulers. *)
open Effect
open Effect.Deep
type _ Effect.t += Get : int Effect.t | Put : int -> unit Effect.t | Yield : int -> unit Effect.t | Fork : (unit -> unit) -> unit Effect.t | Pause : unit Effect.t | Ask : string -> string Effect.t
let state (init : int) f =
  let s = ref init in
  try_with f () { effc = (fun (type a) (e : a t) -> match e with Get -> Some (fun (k : (a, _) continuation) -> continue k !s) | Put n -> Some (fun (k : (a, _) continuation) -> s := n; continue k ()) | _ -> None) }
let gen f = let l = ref [] in
  match_with f () { retc = (fun () -> List.rev !l); exnc = (fun e -> print_endline ("exn " ^ Printexc.to_string e); List.rev !l); effc = (fun (type a) (e : a t) -> match e with Yield n -> Some (fun (k : (a, _) continuation) -> l := n :: !l; continue k ()) | _ -> None) }
let run main =
  let q = Queue.create () in
  let next () = if Queue.is_empty q then () else Queue.pop q () in
  let rec spawn f = match_with f () { retc = next; exnc = raise; effc = (fun (type a) (e : a t) -> match e with Pause -> Some (fun (k : (a, _) continuation) -> Queue.push (fun () -> continue k ()) q; next ()) | Fork g -> Some (fun (k : (a, _) continuation) -> Queue.push (fun () -> continue k ()) q; spawn g) | _ -> None) } in
  spawn main
let show l = List.iter (Printf.printf "%d ") l; print_newline ()
let () =
  Printf.printf "%d\n" (state 5 (fun () -> perform (Put (perform Get * 2)); let a = perform Get in perform (Put (a + 1)); a + perform Get));
  show (gen (fun () -> for i = 1 to 10 do perform (Yield (i * i)) done));
  show (gen (fun () -> perform (Yield 1); failwith "stop"));
  show (state 0 (fun () -> gen (fun () -> for _ = 1 to 5 do perform (Put (perform Get + 3)); perform (Yield (perform Get)) done)));
  run (fun () -> for i = 1 to 3 do perform (Fork (fun () -> for j = 1 to 3 do Printf.printf "%d.%d " i j; perform Pause done)) done); print_newline ();
  let rec deep n = if n = 0 then perform Get else 1 + deep (n - 1) in
  Printf.printf "%d\n" (state 7 (fun () -> deep 50_000));
  let rec nest n = if n = 0 then perform (Ask "x") else try_with nest (n - 1) { effc = (fun (type a) (e : a t) -> match e with Get -> Some (fun (k : (a, _) continuation) -> continue k n) | _ -> None) } in
  print_endline (try_with nest 200 { effc = (fun (type a) (e : a t) -> match e with Ask s -> Some (fun (k : (a, _) continuation) -> continue k (s ^ "!")) | _ -> None) });
  print_endline (try_with (fun () -> try perform (Ask "q") with Not_found -> "discontinued") () { effc = (fun (type a) (e : a t) -> match e with Ask _ -> Some (fun (k : (a, _) continuation) -> discontinue k Not_found) | _ -> None) });
  print_endline (match perform Get with n -> string_of_int n | exception Effect.Unhandled _ -> "Unhandled");
  let saved = ref None in
  let first = try_with (fun () -> let x = perform Get in x * 10) () { effc = (fun (type a) (e : a t) -> match e with Get -> Some (fun (k : (a, _) continuation) -> saved := Some (fun (n : int) -> continue (Obj.magic k) n); 0) | _ -> None) } in
  Gc.full_major (); Gc.compact ();
  let resume = Option.get !saved in
  Printf.printf "%d %d\n" first (resume 4);
  (try ignore (resume 5) with Continuation_already_resumed -> print_endline "already resumed");
  let dropped = ref 0 in
  for i = 1 to 500 do try_with (fun () -> ignore (Array.make 100 i); perform Pause) () { effc = (fun (type a) (e : a t) -> match e with Pause -> Some (fun (_ : (a, _) continuation) -> incr dropped) | _ -> None) } done;
  Gc.full_major (); Printf.printf "%d\n" !dropped;
  let fin = ref 0 in
  for _ = 1 to 100 do try_with (fun () -> Fun.protect ~finally:(fun () -> incr fin) (fun () -> perform Pause)) () { effc = (fun (type a) (e : a t) -> match e with Pause -> Some (fun (k : (a, _) continuation) -> try discontinue k Exit with Exit -> ()) | _ -> None) } done;
  Printf.printf "%d\n" !fin
