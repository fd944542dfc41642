(* SPDX-License-Identifier: MIT *)
(* checks: itself *)
(* Nobody starves: neither behind threads that never call anything, nor behind one that makes short system calls. *)
let check name b = Printf.printf "%s %s\n%!" (if b then "ok" else "wrong") name

(* Others run while these only compute. *)
let () =
  let stop = ref false in
  let counts = Array.make 3 0 in
  let ts = List.init 3 (fun i -> Thread.create (fun () -> while not !stop do counts.(i) <- counts.(i) + 1 done) ()) in
  let started = Array.copy counts in
  while Array.exists2 (fun a b -> a <= b) counts started do ignore (Sys.opaque_identity counts) done;
  stop := true;
  List.iter Thread.join ts;
  check "computing threads take turns" true

(* With yield, each of the others has its turn between two of mine, but for those that the tick takes. *)
let () =
  let n = 6 in
  let turns = ref [] and ready = ref 0 and go = ref false in
  let body i () =
    incr ready;
    while not !go do Thread.yield () done;
    for _ = 1 to 200 do turns := i :: !turns; Thread.yield () done in
  let ts = List.init n (fun i -> Thread.create (body i) ()) in
  while !ready < n do Thread.yield () done;
  go := true;
  List.iter Thread.join ts;
  let last = Array.make n (-1) and worst = ref 0 and position = ref 0 in
  List.iter (fun i ->
    if last.(i) >= 0 then worst := max !worst (!position - last.(i));
    last.(i) <- !position;
    incr position) (List.rev !turns);
  if !worst > 3 * n then Printf.printf "%d turns of others\n" !worst;
  check "yield lets all others run" (!worst <= 3 * n)

(* A thread that goes through blocking sections all the time: one that computes gets on, and does not hold it up for a tick
   each time. *)
let () =
  let stop = ref false and computed = ref 0 and calls = ref 0 in
  let null = Unix.openfile "/dev/null" [Unix.O_WRONLY] 0 in
  let computing = Thread.create (fun () -> while not !stop do incr computed done) () in
  let byte = Bytes.make 1 'x' in
  while !computed = 0 || !calls < 20 do ignore (Unix.write null byte 0 1); incr calls done;
  stop := true;
  Thread.join computing;
  check "system calls beside a computing thread" true

(* Many who want one mutex. *)
let () =
  let m = Mutex.create () and got = Array.make 8 0 and stop = ref false in
  let body i () = while not !stop do Mutex.lock m; got.(i) <- got.(i) + 1; Mutex.unlock m; Thread.yield () done in
  let ts = List.init 8 (fun i -> Thread.create (body i) ()) in
  while Array.exists (fun n -> n < 20) got do Thread.yield () done;
  stop := true;
  List.iter Thread.join ts;
  check "one mutex for many" true
