(* SPDX-License-Identifier: MIT *)
(* FIELD S4, S8. quick_stat and counters agree at the same instant; counters, allocated_bytes and minor words are
   exact; get_minor_free speaks words, as its neighbours do. *)

(* Words that quick_stat allocates for its answer: three boxed floats and a record of 17 fields. *)
let words_of_stat = (3 * 2) + 18
let words_of_counters = (3 * 2) + 4

(* No collection between the two: else what is promoted differs rightly. *)
let rec at_one_instant tries =
  let before = Gc.quick_stat () in
  let minor, promoted, major = Gc.counters () in
  let after = Gc.quick_stat () in
  if after.minor_collections = before.minor_collections || tries = 0 then (before, minor, promoted, major)
  else at_one_instant (tries - 1)

let agree name =
  let q, minor, promoted, major = at_one_instant 100 in
  Check.int (name ^ ": minor words") (int_of_float q.minor_words + words_of_stat) (int_of_float minor);
  Check.int (name ^ ": promoted words") (int_of_float q.promoted_words) (int_of_float promoted);
  Check.int (name ^ ": major words") (int_of_float q.major_words) (int_of_float major)

let () =
  agree "at the start";
  let kept = List.init 20_000 string_of_int in
  agree "after allocations";
  let large = Array.make 100_000 0 in
  agree "after a large block";
  Gc.full_major ();
  agree "after a major";
  Gc.compact ();
  agree "after a compaction";
  Domain.join (Domain.spawn (fun () -> ignore (Sys.opaque_identity (List.init 20_000 string_of_int))));
  agree "after another domain";
  ignore (Sys.opaque_identity (kept, large))

let () =
  let _, _, major0 = Gc.counters () in
  let large = Array.make 50_000 0 in
  let _, _, major1 = Gc.counters () in
  Check.it "a large block is in major words at once" (major1 -. major0 >= 50_001.);
  let small = Sys.opaque_identity (List.init 1000 Fun.id) in
  Gc.minor ();
  let m0, p0, _ = Gc.counters () in
  let bytes0 = Gc.allocated_bytes () in
  let cells = Sys.opaque_identity (Array.make 100 (ref 0)) in
  let bytes1 = Gc.allocated_bytes () in
  (* Besides what the first call allocated after it had read the counters: its triple, and the results of four operations, of
     which native code boxes the last only. *)
  let words_of_allocated_bytes = words_of_counters + (if Check.is_native then 2 else 4 * 2) in
  Check.int "allocated bytes are exact" (8 * (words_of_allocated_bytes + 2 + 101)) (int_of_float (bytes1 -. bytes0));
  ignore (Sys.opaque_identity (large, small, cells, m0, p0))

(* Between two calls of get_minor_free nothing is allocated, or exactly what is named. *)
let () =
  let size = (Gc.get ()).minor_heap_size in
  Gc.minor ();
  let rec grown tries =
    let collections = (Gc.quick_stat ()).minor_collections in
    let a = Gc.get_minor_free () in
    let kept = Sys.opaque_identity (Array.make 10 0) in
    let b = Gc.get_minor_free () in
    ignore (Sys.opaque_identity kept);
    if (Gc.quick_stat ()).minor_collections = collections || tries = 0 then (a, a - b) else grown (tries - 1)
  in
  let free, taken = grown 100 in
  Check.between "get_minor_free is within the minor heap" 1 size free;
  Check.int "an array of ten takes eleven words" 11 taken;
  Gc.minor ();
  let rec all tries =
    Gc.minor ();
    let free = Gc.get_minor_free () in
    if free = size || tries = 0 then free else all (tries - 1)
  in
  Check.int "an empty minor heap is all free" size (all 100)
