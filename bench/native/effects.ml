(* SPDX-License-Identifier: MIT *)
(* Effects: tasks that yield to a scheduler, a chain of generators, and small handlers that come and go. *)
open Effect
open Effect.Deep

type _ Effect.t += Yield : unit Effect.t | Give : int -> unit Effect.t | Ask : int Effect.t

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
  let done_ = ref 0 in
  for i = 1 to count do
    Queue.add (fun () -> spawn (fun () ->
      for _ = 1 to rounds do
        Probe.pass ();
        perform Yield
      done;
      done_ := !done_ + i)) ready
  done;
  next ();
  !done_

let each generator f =
  match_with generator ()
    { retc = Fun.id; exnc = raise;
      effc = (fun (type a) (e : a Effect.t) ->
        match e with Give x -> Some (fun (k : (a, unit) continuation) -> f x; continue k ()) | _ -> None) }

let rec chain depth n () =
  if depth = 0 then for i = 1 to n do perform (Give i) done else each (chain (depth - 1) n) (fun x -> perform (Give (x + 1)))

let asks n =
  let total = ref 0 in
  for i = 1 to n do
    Probe.pass ();
    total := !total + match_with (fun () -> perform Ask + perform Ask) ()
      { retc = Fun.id; exnc = raise;
        effc = (fun (type a) (e : a Effect.t) -> match e with Ask -> Some (fun (k : (a, _) continuation) -> continue k i) | _ -> None) }
  done;
  !total

let () =
  let total = ref 0 in
  for _ = 1 to Probe.scale 7 do
    total := !total + tasks 1000 1000;
    each (chain 4 400_000) (fun x -> Probe.pass (); total := !total + x);
    total := !total + asks 1_500_000
  done;
  Probe.finish !total
