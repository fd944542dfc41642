(* SPDX-License-Identifier: MIT *)
(* FIELD S1, S2, S3. At each call, from any domain, while others allocate, spawn, end and compact:
   heap_words = live_words + free_words + fragments, nothing is negative, promoted is at most minor and major, top_heap_words
   at least heap_words. No counter ever falls: neither for one domain nor for one that was told what another has read. *)

type s = Gc.stat

let says_heap (q : s) =
  Printf.sprintf "heap %d, live %d, free %d, fragments %d, top %d, largest free %d" q.heap_words q.live_words q.free_words
    q.fragments q.top_heap_words q.largest_free

let wrong_heap (q : s) =
  q.heap_words <> q.live_words + q.free_words + q.fragments
  || q.live_words < 0 || q.free_words < 0 || q.fragments < 0 || q.live_blocks < 0 || q.free_blocks < 0
  || q.top_heap_words < q.heap_words
  || q.live_blocks > q.live_words || q.largest_free > q.free_words
  || (q.heap_chunks = 0) <> (q.heap_words = 0)

let wrong_words (q : s) = q.promoted_words > q.minor_words || q.promoted_words > q.major_words

let falls (a : s) (b : s) =
  b.minor_words < a.minor_words || b.promoted_words < a.promoted_words || b.major_words < a.major_words
  || b.minor_collections < a.minor_collections || b.major_collections < a.major_collections
  || b.forced_major_collections < a.forced_major_collections || b.compactions < a.compactions
  || b.top_heap_words < a.top_heap_words

(* The first of each kind of trouble. *)
let bad_heap = Atomic.make None and bad_words = Atomic.make None and bad_order = Atomic.make None
let note where what = ignore (Atomic.compare_and_set where None (Some what))
let noted where = Option.value ~default:"" (Atomic.get where)

(* What some domain has read before. *)
let published : s Atomic.t = Atomic.make (Gc.quick_stat ())

let look mine =
  let before = Atomic.get published in
  let q = Gc.quick_stat () in
  if wrong_heap q then note bad_heap (says_heap q);
  if wrong_words q then note bad_words (Printf.sprintf "minor %.0f promoted %.0f major %.0f" q.minor_words q.promoted_words q.major_words);
  if falls before q then note bad_order "after what another domain had read";
  if falls !mine q then note bad_order "after what the same domain had read";
  mine := q;
  Atomic.set published q

let stop = Atomic.make false
let looks = Atomic.make 0

let reader () =
  let mine = ref (Gc.quick_stat ()) in
  while not (Atomic.get stop) do
    look mine;
    Atomic.incr looks
  done

(* Blocks of all sizes, some of them kept for a while. *)
let churn seed rounds =
  let state = Random.State.make [| seed |] in
  let kept = Array.make 64 (Obj.repr 0) in
  let mine = ref (Gc.quick_stat ()) in
  for i = 1 to rounds do
    let size = match i mod 50 with 0 -> 5000 + Random.State.int state 20000 | 1 | 2 -> 300 + Random.State.int state 3000 | _ -> 1 + Random.State.int state 60 in
    let block = match i mod 3 with 0 -> Obj.repr (Bytes.create (8 * size)) | 1 -> Obj.repr (Array.make size 0.5) | _ -> Obj.repr (Array.make size i) in
    kept.(Random.State.int state 64) <- block;
    if i mod 16 = 0 then look mine
  done;
  ignore (Sys.opaque_identity kept)

let () =
  let readers = List.init 1 (fun _ -> Domain.spawn reader) in
  let mine = ref (Gc.quick_stat ()) in
  for round = 1 to 6 do
    let others = List.init 2 (fun i -> Domain.spawn (fun () -> churn (10 * round + i) 400)) in
    churn round 200;
    if round mod 2 = 0 then Gc.compact () else Gc.full_major ();
    look mine;
    List.iter Domain.join others;
    look mine;
    let s = Gc.stat () in
    if wrong_heap s then note bad_heap ("stat: " ^ says_heap s);
    look mine
  done;
  Atomic.set stop true;
  List.iter Domain.join readers;
  Check.string "heap = live + free + fragments, at each call" "" (noted bad_heap);
  Check.string "promoted <= minor, promoted <= major" "" (noted bad_words);
  Check.string "counters only grow" "" (noted bad_order);
  Check.it "another domain has looked on" (Atomic.get looks > 0)
