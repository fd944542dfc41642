(* SPDX-License-Identifier: MIT *)
(* runparam: o=120 *)
(* variants: none *)
(* tsan: no it measures *)
(* A domain that allocates in lumps, large blocks or off-heap memory, and next to nothing in its nursery: it pays for them, whatever the
   others do, and whether there is a nursery to catch up in or not. *)
let blocks = 4 and words = 300_000

(* The highest heap, to what lives. *)
let overhead () =
  let before = (Gc.quick_stat ()).Gc.live_words in
  let ring = Array.make blocks [||] and peak = ref 0 in
  for i = 0 to 40 * blocks do
    ring.(i mod blocks) <- Array.make words 0;
    peak := max !peak (Gc.quick_stat ()).Gc.heap_words
  done;
  ignore (Sys.opaque_identity ring);
  100 * (!peak - before) / (blocks * words)

let others n work =
  let ready = Atomic.make 0 in
  let domains = List.init n (fun _ -> Domain.spawn (fun () -> ignore (Sys.opaque_identity (ref 1)); Atomic.incr ready; work ())) in
  while Atomic.get ready < n do Domain.cpu_relax () done;
  ignore (Sys.opaque_identity (ref 1));
  domains

let () =
  let most = 360 in
  Check.between "large blocks" 0 most (overhead ());
  let go = Atomic.make false in
  let allocating = others 7 (fun () -> while not (Atomic.get go) do ignore (Sys.opaque_identity (ref 1)); Domain.cpu_relax () done) in
  Gc.minor ();
  Atomic.set go true;
  List.iter Domain.join allocating;
  Check.between "large blocks after domains have ended" 0 most (overhead ());
  let mutex = Mutex.create () and changed = Condition.create () and stop = ref false in
  let waiting = others 7 (fun () -> Mutex.protect mutex (fun () -> while not !stop do Condition.wait changed mutex done)) in
  Gc.minor ();
  Check.between "large blocks beside domains that wait" 0 most (overhead ());
  Mutex.protect mutex (fun () -> stop := true; Condition.broadcast changed);
  List.iter Domain.join waiting

(* 40 of 1 MB in a ring beside a heap of 16 MB: 7 MB of garbage off the heap may be in a cycle. *)
let () =
  let heap = Sys.opaque_identity (List.init 700_000 Fun.id) in
  let ring = Array.make 40 None in
  Gc.full_major ();
  let before = (Gc.quick_stat ()).Gc.major_collections in
  for i = 1 to 2000 do ring.(i mod 40) <- Some (Bigarray.Array1.create Bigarray.char Bigarray.c_layout 1_000_000) done;
  Check.between "cycles for bigarrays" 100 1000 ((Gc.quick_stat ()).Gc.major_collections - before);
  ignore (Sys.opaque_identity (heap, ring))
