(* SPDX-License-Identifier: MIT *)
(* What the fields of Gc.stat say, step by step: the worked example of docs/statistics.md.

   usage: statistics

   Prints a line of figures after each step, and the change that the step made.
   Exit code: 0 if in each line heap = live + free + fragments, else 1. *)

let wrong = ref false
let last = ref (Gc.quick_stat ())

let line what (q : Gc.stat) =
  Printf.printf "%-34s %9d %9d %7d %9d %6d %9d %6d %5d %9d\n" what q.heap_words q.live_words q.live_blocks q.free_words q.free_blocks
    q.largest_free q.fragments q.heap_chunks q.top_heap_words

let show what =
  let q = Gc.quick_stat () in
  if q.heap_words <> q.live_words + q.free_words + q.fragments then wrong := true;
  line what q;
  last := q

let step what f =
  let before = !last in
  f ();
  show what;
  Printf.printf "%34s %+9d %+9d %+7d\n" "" (!last.heap_words - before.heap_words) (!last.live_words - before.live_words)
    (!last.live_blocks - before.live_blocks)

let cells = ref []
let large = Array.make 8 [||]

let rec deep n = if n = 0 then (Gc.quick_stat ()).stack_size else 0 + deep (n - 1)

let () =
  Printf.printf "%-34s %9s %9s %7s %9s %6s %9s %6s %5s %9s\n" "" "heap" "live" "blocks" "free" "blocks" "largest" "fragm." "areas" "top";
  Gc.compact ();
  show "start";
  step "100,000 cells of 3 words" (fun () -> cells := List.init 100_000 Fun.id; Gc.full_major ());
  step "8 arrays of 20,000 fields" (fun () -> for i = 0 to 7 do large.(i) <- Array.make 20_000 i done);
  step "every second array dropped" (fun () -> for i = 0 to 3 do large.(2 * i) <- [||] done);
  step "Gc.full_major" Gc.full_major;
  step "Gc.compact" Gc.compact;
  step "the cells dropped, Gc.full_major" (fun () -> cells := []; Gc.full_major ());
  step "Gc.compact" Gc.compact;
  let q = Gc.quick_stat () in
  Printf.printf "\nminor %.0f, promoted %.0f, major %.0f words\n" q.minor_words q.promoted_words q.major_words;
  Printf.printf "collections: %d minor, %d major, %d forced; %d compactions\n" q.minor_collections q.major_collections
    q.forced_major_collections q.compactions;
  Printf.printf "stack: %d words here, %d after 1000 calls\n" q.stack_size (deep 1000);
  ignore (Sys.opaque_identity large);
  exit (if !wrong then 1 else 0)
