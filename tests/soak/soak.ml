(* SPDX-License-Identifier: MIT *)
(* Eight domains that do a random mix of everything (activities.ml) for a number of seconds: nothing may fail, and nothing may grow.

   usage: soak SECONDS [SEED]

   Seven domains come and go all the time; the first one joins the oldest, starts another in its place, and does its share. After
   each round of some seconds all of them are joined, the heap is compacted, and what is left is measured: the resident memory, file descriptors, threads.
   At that point the program holds the same as after any other round, so that memory that is lost shows in the slope of these figures,
   and what the allocators keep for reuse in their beginning only, which is left out. *)
module R = Random.State

let domains = 8
let round_seconds = 2.

(* The straight line through the figures of the resident memory may rise by so many kB altogether. That is twice what two rounds of a run that
   loses nothing were seen to differ by (holes in the C heap, stacks), however few rounds there were on a busy machine. A minute
   of native code is some 5000 domains and 80,000 pieces of work: it shows 1 kB lost with a domain, or 64 bytes with a piece of work;
   half an hour shows 200 kB per minute. *)
let growth_bound = 4096.

exception Over of int

let started = Atomic.make 0 and done_ = Atomic.make 0

(* A domain's life. Some end with an exception. *)
let life seed () =
  let rng = R.make seed in
  let n = 1 + R.int rng 30 in
  for _ = 1 to n do Activities.one rng; Atomic.incr done_ done;
  if n mod 5 = 0 then raise (Over n) else n

let join (seed, d) =
  let n = match Domain.join d with n -> n | exception Over n -> n in
  Activities.require "a domain's result" (n = 1 + R.int (R.make seed) 30)

let start seed =
  let mine = [| seed; Atomic.fetch_and_add started 1 |] in
  (mine, Domain.spawn (life mine))

(* ---- What is left after a round ---- *)

let words_of file =
  let line = In_channel.with_open_bin file (fun ic -> Option.get (In_channel.input_line ic)) in
  List.map int_of_string (String.split_on_char ' ' line)

type left = { at : float; resident : int; descriptors : int; threads : int }

external one_arena : unit -> unit = "soak_one_arena"
external trim : unit -> unit = "soak_trim"

(* A thread of a domain that was joined may still be on its way out. *)
let measure from =
  let tries = ref 10_000 in
  while Array.length (Sys.readdir "/proc/self/task") > 1 && !tries > 0 do decr tries; Unix.sleepf 0.001 done;
  Gc.compact ();
  Gc.compact ();
  trim ();
  { at = Unix.gettimeofday () -. from; resident = 4 * List.nth (words_of "/proc/self/statm") 1;
    descriptors = Array.length (Sys.readdir "/proc/self/fd"); threads = Array.length (Sys.readdir "/proc/self/task") }

let round seed rng until =
  let running = Queue.create () in
  while Unix.gettimeofday () < until do
    while Queue.length running < domains - 1 do Queue.push (start seed) running done;
    Activities.one rng;
    join (Queue.pop running)
  done;
  Queue.iter join running

let rec rounds seed rng from seconds sofar =
  let now = Unix.gettimeofday () in
  if now -. from >= seconds then List.rev sofar
  else begin
    round seed rng (now +. round_seconds);
    rounds seed rng from seconds (measure from :: sofar)
  end

(* ---- The verdict ---- *)

(* By least squares, in kB per minute. *)
let slope samples =
  let n = float_of_int (List.length samples) in
  let mean f = List.fold_left (fun s x -> s +. f x) 0. samples /. n in
  let x m = m.at /. 60. and y m = float_of_int m.resident in
  let mx = mean x and my = mean y in
  mean (fun m -> (x m -. mx) *. (y m -. my)) /. Float.max 1e-9 (mean (fun m -> (x m -. mx) ** 2.))

let failed = ref false

let verdict name ok what =
  if not ok then failed := true;
  Printf.printf "%s %s %s\n%!" (if ok then "ok" else "not ok") name what

let judge all =
  let n = List.length all in
  let settled = List.filteri (fun i _ -> 3 * i >= n) all in
  let first = List.hd settled and last = List.nth all (n - 1) in
  let s = slope settled and minutes = Float.max 0.1 ((last.at -. first.at) /. 60.) in
  verdict "nothing failed" true (Printf.sprintf "in %d rounds: %d domains, %d pieces of work" n (Atomic.get started) (Atomic.get done_));
  verdict "memory" (s *. minutes <= growth_bound)
    (Printf.sprintf "%d kB, then %d; slope %+.0f kB per minute, at most %.0f" first.resident last.resident s (growth_bound /. minutes));
  verdict "threads" (last.threads <= first.threads) (Printf.sprintf "%d, then %d" first.threads last.threads);
  verdict "file descriptors" (last.descriptors <= first.descriptors) (Printf.sprintf "%d, then %d" first.descriptors last.descriptors);
  verdict "finalisers" (Atomic.get Activities.finalised <= Atomic.get Activities.to_finalise)
    (Printf.sprintf "%d of %d called" (Atomic.get Activities.finalised) (Atomic.get Activities.to_finalise))

let () =
  one_arena ();
  if Sys.argv.(1) = "child" then Activities.child ();
  let seconds = float_of_string Sys.argv.(1) in
  let seed = if Array.length Sys.argv > 2 then int_of_string Sys.argv.(2) else Hashtbl.hash (Unix.gettimeofday ()) in
  Printf.printf "seed %d\n%!" seed;
  Printexc.record_backtrace true;
  Activities.install_handlers ();
  ignore (Unix.setitimer ITIMER_REAL { it_interval = 0.005; it_value = 0.005 });
  match rounds seed (R.make [| seed; -1 |]) (Unix.gettimeofday ()) seconds [] with
  | all ->
    if Sys.getenv_opt "SOAK_SAMPLES" <> None then
      List.iter (fun m -> Printf.printf "%.1f s: %d kB, %d descriptors, %d threads\n" m.at m.resident m.descriptors m.threads) all;
    judge all;
    if !failed then exit 1
  | exception e ->
    verdict "nothing failed" false (Printexc.to_string e);
    Printexc.print_backtrace stdout;
    exit 1
