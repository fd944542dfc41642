(* SPDX-License-Identifier: MIT *)
(* Blocked domains are not woken: six domains wait for a condition while one allocates. Context switches of their threads, for each
   100 minor collections. *)
open Figures

let mutex = Mutex.create ()
let condition = Condition.create ()
let over = ref false
let waiting = Atomic.make 0

let wait () =
  Mutex.lock mutex;
  Atomic.incr waiting;
  while not !over do Condition.wait condition mutex done;
  Mutex.unlock mutex

(* Voluntary context switches of all threads but the first. *)
let switches () =
  let of_task task =
    In_channel.with_open_bin ("/proc/self/task/" ^ task ^ "/status") (fun file ->
        In_channel.fold_lines (fun n line ->
            match Scanf.sscanf_opt line "voluntary_ctxt_switches: %d" Fun.id with Some k -> k | None -> n) 0 file)
  in
  let first = string_of_int (Unix.getpid ()) in
  Array.fold_left (fun n t -> if t = first then n else n + of_task t) 0 (Sys.readdir "/proc/self/task")

let () =
  let domains = List.init 6 (fun _ -> Domain.spawn wait) in
  while Atomic.get waiting < 6 do Unix.sleepf 0.01 done;
  Unix.sleepf 0.05;
  let before = switches () and minors = (quick ()).minor_collections in
  let elapsed = wall (fun () -> for _ = 1 to 500_000 do keep (list 50) done) in
  let minors = (quick ()).minor_collections - minors in
  let more = switches () - before in
  figure "switches_per_100_minors" (100. *. float_of_int more /. float_of_int minors);
  figure "elapsed_s" elapsed;
  Mutex.lock mutex; over := true; Condition.broadcast condition; Mutex.unlock mutex;
  List.iter Domain.join domains
