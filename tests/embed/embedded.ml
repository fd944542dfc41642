(* SPDX-License-Identifier: MIT *)
(* What a host calls in each of its cycles: something of everything that holds memory outside the heap, or a thread, or a handler. *)

external counted : unit -> Obj.t = "embed_counted"

type _ Effect.t += Ask : int Effect.t

let kept = ref []

let in_effects () =
  let handled f = Effect.Deep.try_with f () { effc = fun (type a) (e : a Effect.t) -> match e with
      | Ask -> Some (fun (k : (a, _) Effect.Deep.continuation) -> Effect.Deep.continue k 20)
      | _ -> None }
  in
  (* A continuation that nobody resumes. *)
  Effect.Deep.try_with (fun () -> ignore (Effect.perform Ask)) ()
    { effc = fun (type a) (e : a Effect.t) -> match e with
        | Ask -> Some (fun (k : (a, unit) Effect.Deep.continuation) -> kept := Obj.repr k :: !kept)
        | _ -> None };
  handled (fun () -> Effect.perform Ask + 1)

let with_files () =
  let file = Filename.temp_file "embed" ".data" in
  Out_channel.with_open_bin file (fun out -> Marshal.to_channel out (List.init 1000 string_of_int) []);
  let read : string list = In_channel.with_open_bin file Marshal.from_channel in
  Sys.remove file;
  List.length read

let rec deep n = if n = 0 then 0 else 1 + deep (n - 1)

let with_threads () =
  let m = Mutex.create () in
  let sum = ref 0 in
  let add i = for _ = 1 to 100 do Mutex.protect m (fun () -> sum := !sum + i) done; Thread.yield () in
  List.iter Thread.join (List.init 4 (Thread.create add));
  Domain.join (Domain.spawn (fun () -> add 1));
  !sum

let work how =
  Printexc.record_backtrace true;
  (try failwith "oops" with Failure _ -> ignore (Printexc.get_backtrace ()));
  kept := Obj.repr (Bigarray.Array1.create Bigarray.char Bigarray.c_layout 1_000_000) :: !kept;
  for _ = 1 to 100 do kept := counted () :: !kept done;
  kept := Obj.repr (Array.init 100_000 string_of_int) :: !kept;
  Gc.finalise ignore (ref 1);
  Sys.set_signal Sys.sigusr1 (Sys.Signal_handle ignore);
  let table = Ephemeron.K1.make (ref 1) (ref 2) in
  if how = "large" then kept := Obj.repr (Array.make 3_000_000 0) :: !kept;
  Gc.compact ();
  ignore (Sys.opaque_identity table);
  in_effects () + with_files () + deep 100_000 + (if how = "threads" then with_threads () else 700)

let () =
  Callback.register "work" work;
  at_exit (fun () -> kept := [])
