(* SPDX-License-Identifier: MIT *)
(* checks: itself *)
(* Signals: whichever thread may, runs the handler. *)
let check name b = Printf.printf "%s %s\n%!" (if b then "ok" else "wrong") name
let me = Unix.getpid ()
let got = Atomic.make 0
let wait_for f = while not (f ()) do Thread.yield () done

(* The first thread waits for another: that one runs the handler. *)
let () =
  Sys.set_signal Sys.sigusr1 (Sys.Signal_handle (fun _ -> Atomic.incr got));
  let t = Thread.create (fun () -> Unix.kill me Sys.sigusr1; wait_for (fun () -> Atomic.get got = 1)) () in
  Thread.join t;
  check "handled while the first thread waits" (Atomic.get got = 1)

(* Blocked in one thread, handled by the other: it must not be handled in the former. *)
let () =
  let where = ref (-1) and ready = ref false in
  Sys.set_signal Sys.sigusr2 (Sys.Signal_handle (fun _ -> where := Thread.id (Thread.self ())));
  let old = Thread.sigmask Unix.SIG_BLOCK [Sys.sigusr2] in
  check "the mask was empty" (old = []);
  let other = Thread.create (fun () ->
    let inherited = Thread.sigmask Unix.SIG_UNBLOCK [Sys.sigusr2] in
    check "a thread inherits the mask" (inherited = [Sys.sigusr2]);
    ready := true;
    (* It calls nothing: it gets the domain back in the middle of this. *)
    while !where < 0 do () done) () in
  wait_for (fun () -> !ready);
  Unix.kill me Sys.sigusr2;
  (* Time for it to be recorded, and for this thread to see that it may not run the handler. *)
  let since = Unix.gettimeofday () in
  while Unix.gettimeofday () -. since < 0.02 do ignore (Sys.opaque_identity (ref 0)) done;
  Thread.join other;
  check "handled where it is not blocked" (!where = Thread.id other);
  where := -1;
  Unix.kill me Sys.sigusr2;
  for _ = 1 to 1000 do ignore (Sys.opaque_identity (ref 0)); Thread.yield () done;
  check "not handled while blocked" (!where = -1);
  check "the old mask comes back" (Thread.sigmask Unix.SIG_SETMASK old = [Sys.sigusr2]);
  check "handled once it is not" (!where = Thread.id (Thread.self ()))

(* Waiting for a signal. *)
let () =
  ignore (Thread.sigmask Unix.SIG_BLOCK [Sys.sighup; Sys.sigterm]);
  let t = Thread.create (fun () -> check "wait_signal says which" (Thread.wait_signal [Sys.sighup; Sys.sigterm] = Sys.sigterm)) () in
  Unix.kill me Sys.sigterm;
  Thread.join t

(* A handler's exception ends what was interrupted: a blocking call, in the thread that the signal comes to. *)
exception Stop
let () =
  Sys.set_signal Sys.sigalrm (Sys.Signal_handle (fun _ -> raise Stop));
  let stopped = ref false and stop = ref false in
  let masked = Thread.create (fun () ->
    ignore (Thread.sigmask Unix.SIG_BLOCK [Sys.sigalrm]);
    while not !stop do Thread.delay 0.001 done) () in
  Thread.delay 0.02;
  ignore (Unix.setitimer Unix.ITIMER_REAL { Unix.it_value = 0.05; it_interval = 0. });
  (try while true do Thread.delay 10. done with Stop -> stopped := true);
  stop := true;
  Thread.join masked;
  check "an exception of a handler" !stopped

(* Many signals to many threads. *)
let () =
  Atomic.set got 0;
  let stop = ref false in
  let ts = List.init 4 (fun _ -> Thread.create (fun () -> while not !stop do ignore (List.init 20 string_of_int) done) ()) in
  for i = 1 to 100 do
    Unix.kill me Sys.sigusr1;
    wait_for (fun () -> Atomic.get got = i)
  done;
  stop := true;
  List.iter Thread.join ts;
  check "many signals" (Atomic.get got = 100)
