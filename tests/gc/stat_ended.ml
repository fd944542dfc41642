(* SPDX-License-Identifier: MIT *)
(* FIELD S2, S3. What a domain has counted is in the sums as soon as it has ended: not lost, not late, also while other domains
   read; and counters of the domain that adopts it show it. *)

let cells = 3000
let rounds = 10

(* 3 * [cells] words in the minor heap, 20,001 in the major heap. *)
let work () =
  let list = List.init cells Fun.id in
  let large = Array.make 20_000 0 in
  ignore (Sys.opaque_identity (list, large))

let least_minor = float (3 * cells) and least_major = 20_001.

let () =
  let late = ref "" and promoted = ref "" in
  let stop = Atomic.make false and fell = Atomic.make false in
  let reader =
    Domain.spawn (fun () ->
        let last = ref 0. in
        while not (Atomic.get stop) do
          let q = Gc.quick_stat () in
          if q.minor_words < !last || q.promoted_words > q.minor_words || q.promoted_words > q.major_words then Atomic.set fell true;
          last := q.minor_words
        done)
  in
  for round = 1 to rounds do
    let before = Gc.quick_stat () in
    Domain.join (Domain.spawn work);
    let after = Gc.quick_stat () in
    if after.minor_words -. before.minor_words < least_minor || after.major_words -. before.major_words < least_major then
      late := Printf.sprintf "round %d: minor %.0f, major %.0f" round (after.minor_words -. before.minor_words) (after.major_words -. before.major_words);
    if after.promoted_words > after.minor_words || after.promoted_words > after.major_words then promoted := "promoted too much"
  done;
  Atomic.set stop true;
  Domain.join reader;
  Check.string "an ended domain's words are in the sums at once" "" !late;
  Check.string "promoted <= minor, promoted <= major" "" !promoted;
  Check.it "a domain that reads meanwhile sees them grow only" (not (Atomic.get fell))

(* Only this domain is left: its counters have adopted all. *)
let () =
  let q = Gc.quick_stat () in
  let minor, _, major = Gc.counters () in
  Check.int "the last domain has adopted all minor words" (int_of_float q.minor_words + 24) (int_of_float minor);
  Check.it "and all major words" (major >= q.major_words)

(* The true maximum of the process: not a sum of the domains' own maxima, nor less than the heap once was. *)
let () =
  Gc.compact ();
  let base = (Gc.quick_stat ()).heap_words in
  let peak = ref 0 in
  Domain.join (Domain.spawn (fun () ->
      let a = Array.make 3_000_000 0 in
      peak := (Gc.quick_stat ()).heap_words;
      ignore (Sys.opaque_identity a)));
  Gc.compact ();
  let q = Gc.quick_stat () in
  Check.it "the heap was seen at its peak" (!peak >= base + 3_000_000);
  Check.it "the maximum stays when the domain has ended and the heap has shrunk" (q.top_heap_words >= !peak && q.heap_words < !peak);
  let top = q.top_heap_words in
  for _ = 1 to 3 do
    Domain.join (Domain.spawn (fun () -> ignore (Sys.opaque_identity (Array.make 2_000_000 0))));
    Gc.compact ()
  done;
  Check.int "smaller peaks of several domains do not add up" top (Gc.quick_stat ()).top_heap_words
