(* SPDX-License-Identifier: MIT *)
(* checks: itself *)
(* Fork with several threads: the child has the calling one alone, and may create others. Stock's child has no tick: there
   a thread that only computes would keep the others out for ever. *)
let expect what wanted got = if got <> wanted then Printf.printf "%s: %d and not %d\n%!" what got wanted else Printf.printf "ok %s\n%!" what

let wait pid = match Unix.waitpid [] pid with
  | _, Unix.WEXITED n -> n
  | _, Unix.WSIGNALED n | _, Unix.WSTOPPED n -> 1000 + n

(* What only another thread's stack refers to. *)
let held : int ref Weak.t = Weak.create 1
let[@inline never] hold stop =
  let mine = Sys.opaque_identity (ref 5) in
  Weak.set held 0 (Some mine);
  while not !stop do Thread.delay 0.001 done;
  ignore (Sys.opaque_identity !mine)

let child () =
  Gc.full_major ();
  expect "held by a thread that is not there" 0 (Bool.to_int (Weak.check held 0));
  let r = ref 0 in
  let ts = List.init 4 (fun i -> Thread.create (fun () -> for _ = 1 to 100 do incr r; ignore (List.init 50 string_of_int); Thread.yield () done) ()) in
  List.iter Thread.join ts;
  Gc.compact ();
  (* Its tick goes on: this ends only if the thread is interrupted. *)
  let stop = ref false in
  let t = Thread.create (fun () -> while not !stop do () done) () in
  Thread.yield ();
  stop := true;
  Thread.join t;
  expect "threads of the child" 400 !r

let stop = ref false
let () =
  let busy = List.init 3 (fun _ -> Thread.create (fun () -> while not !stop do ignore (List.init 100 string_of_int) done) ()) in
  let sleepers = List.init 3 (fun _ -> Thread.create (fun () -> while not !stop do Thread.delay 0.001 done) ()) in
  let holder = Thread.create hold stop in
  while not (Weak.check held 0) do Thread.yield () done;
  Gc.full_major ();
  expect "held by a thread" 1 (Bool.to_int (Weak.check held 0));
  for _ = 1 to 3 do
    match Unix.fork () with
    | 0 -> child (); exit 7
    | pid -> expect "exit code" 7 (wait pid)
  done;
  (* From a thread that is not the first. *)
  let t = Thread.create (fun () ->
    match Unix.fork () with
    | 0 -> child (); Unix._exit 8
    | pid -> expect "exit code of a thread's child" 8 (wait pid)) () in
  Thread.join t;
  expect "a command" 9 (Sys.command "exit 9");
  stop := true;
  List.iter Thread.join (holder :: busy @ sleepers)
