(* SPDX-License-Identifier: MIT *)
(* Fork with several threads: the child has the calling one alone, and may create others. *)
let say fmt = Printf.ksprintf (fun s -> print_string (s ^ "\n"); flush stdout) fmt

let wait pid = match Unix.waitpid [] pid with
  | _, Unix.WEXITED n -> n
  | _, Unix.WSIGNALED n | _, Unix.WSTOPPED n -> 1000 + n

let child () =
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
  say "child %d" !r

let stop = ref false
let () =
  let busy = List.init 3 (fun _ -> Thread.create (fun () -> while not !stop do ignore (List.init 100 string_of_int) done) ()) in
  let sleepers = List.init 3 (fun _ -> Thread.create (fun () -> while not !stop do Thread.delay 0.001 done) ()) in
  for _ = 1 to 3 do
    match Unix.fork () with
    | 0 -> child (); exit 7
    | pid -> say "exit code %d" (wait pid)
  done;
  (* From a thread that is not the first. *)
  let t = Thread.create (fun () ->
    match Unix.fork () with
    | 0 -> child (); Unix._exit 8
    | pid -> say "exit code %d" (wait pid)) () in
  Thread.join t;
  say "system %d" (Sys.command "exit 9");
  stop := true;
  List.iter Thread.join (busy @ sleepers)
