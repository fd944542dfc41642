(* SPDX-License-Identifier: MIT *)
(* Shallow handlers, and the effect syntax of 5.3. *)
open Effect
open Effect.Shallow
type _ Effect.t += Send : int -> unit Effect.t | Recv : int Effect.t
let rec handle_send : type a. (a, unit) continuation -> a -> unit = fun k v ->
  continue_with k v { retc = Fun.id; exnc = raise; effc = (fun (type b) (e : b t) -> match e with Send n -> Some (fun (k : (b, _) continuation) -> Printf.printf "sent %d; " n; handle_recv k () n) | Recv -> Some (fun _ -> print_endline "protocol error") | _ -> None) }
and handle_recv : type a. (a, unit) continuation -> a -> int -> unit = fun k v n ->
  continue_with k v { retc = Fun.id; exnc = raise; effc = (fun (type b) (e : b t) -> match e with Recv -> Some (fun (k : (b, _) continuation) -> Printf.printf "recv %d\n" n; handle_send k n) | Send _ -> Some (fun _ -> print_endline "protocol error") | _ -> None) }
type _ Effect.t += Tick : int -> int Effect.t
let ticks f = match f () with v -> v | effect Tick n, k -> Effect.Deep.continue k (n * 2)
let () =
  handle_send (fiber (fun () -> for i = 1 to 5 do perform (Send i); let j = perform Recv in if i <> j then print_endline "wrong" done)) ();
  handle_send (fiber (fun () -> perform (Send 1); perform (Send 2))) ();
  (try handle_send (fiber (fun () -> perform (Send 1); failwith "inside")) () with Failure m -> print_endline m);
  Printf.printf "%d\n" (ticks (fun () -> perform (Tick 3) + perform (Tick 4)));
  Printf.printf "%d\n" (match ticks (fun () -> raise Exit) with n -> n | exception Exit -> -1);
  let rec count n = if n = 0 then 0 else perform (Tick n) + count (n - 1) in
  Printf.printf "%d\n" (ticks (fun () -> count 3000));
  let rec tower n = if n = 0 then perform (Tick 1) else match tower (n - 1) with v -> v + 1 | effect Send _, _ -> 0 in
  Printf.printf "%d\n" (ticks (fun () -> tower 300))
