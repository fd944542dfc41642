(* SPDX-License-Identifier: MIT *)
(* Effects: tasks that yield to a scheduler, generators one inside the other, a state, handlers that come and go. *)
open Effect
open Effect.Deep

type _ Effect.t += Yield : unit Effect.t | Give : int -> unit Effect.t | Get : int Effect.t | Put : int -> unit Effect.t | Abort : int -> 'a Effect.t

let ready : (unit -> unit) Queue.t = Queue.create ()
let next () = match Queue.take_opt ready with Some f -> f () | None -> ()

let spawn task =
  match_with task ()
    { retc = next; exnc = raise;
      effc = (fun (type a) (e : a Effect.t) ->
        match e with
        | Yield -> Some (fun (k : (a, unit) continuation) -> Queue.add (fun () -> continue k ()) ready; next ())
        | _ -> None) }

let tasks count rounds =
  let sum = ref 0 in
  for i = 1 to count do
    Queue.add (fun () -> spawn (fun () -> for _ = 1 to rounds do perform Yield; sum := !sum + i done)) ready
  done;
  next ();
  !sum

let each generator f =
  match_with generator ()
    { retc = Fun.id; exnc = raise;
      effc = (fun (type a) (e : a Effect.t) -> match e with Give x -> Some (fun (k : (a, unit) continuation) -> f x; continue k ()) | _ -> None) }

let rec walk depth n = if depth > 0 then begin walk (depth - 1) (2 * n); perform (Give n); walk (depth - 1) ((2 * n) + 1) end
let leaves depth = let sum = ref 0 in each (fun () -> walk depth 1) (fun x -> sum := !sum + x); !sum
let rec chain depth n () = if depth = 0 then for i = 1 to n do perform (Give i) done else each (chain (depth - 1) n) (fun x -> perform (Give (x + 1)))
let chained depth n = let sum = ref 0 in each (chain depth n) (fun x -> sum := !sum + x); !sum

let with_state init f =
  match_with f ()
    { retc = (fun x _ -> x); exnc = raise;
      effc = (fun (type a) (e : a Effect.t) ->
        match e with
        | Get -> Some (fun (k : (a, int -> int) continuation) (s : int) -> continue k s s)
        | Put s -> Some (fun (k : (a, int -> int) continuation) (_ : int) -> continue k () s)
        | _ -> None) }
    init

let count_down n = with_state n (fun () -> let steps = ref 0 in while perform Get > 0 do perform (Put (perform Get - 1)); incr steps done; !steps)

(* Through handlers that are for something else. *)
let rec under depth f = if depth = 0 then f () else with_state depth (fun () -> under (depth - 1) f)
let passed n = let sum = ref 0 in each (fun () -> under 4 (fun () -> for i = 1 to n do perform (Give i) done; 0) |> ignore) (fun x -> sum := !sum + x); !sum

let first_of i =
  try_with (fun () -> for j = i to i + 3 do if j land 3 = 0 then perform (Abort j) done; 0) ()
    { effc = (fun (type a) (e : a Effect.t) -> match e with Abort n -> Some (fun (k : (a, int) continuation) -> try discontinue k Exit with Exit -> n) | _ -> None) }

let aborted n = let sum = ref 0 in for i = 1 to n do sum := !sum + first_of i done; !sum

let () =
  Printf.printf "%d %d %d %d %d %d\n" (tasks 100 4_000) (leaves 18) (chained 6 80_000) (count_down 300_000) (passed 150_000) (aborted 400_000)
