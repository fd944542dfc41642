(* SPDX-License-Identifier: MIT *)
(* variants: none *)
(* minor_heap_size: a change collects, and is the calling domain's own. *)
let size () = (Gc.get ()).Gc.minor_heap_size
let set n = Gc.set { (Gc.get ()) with Gc.minor_heap_size = n }
let collections () = (Gc.quick_stat ()).Gc.minor_collections

(* Collections while so many words are allocated. *)
let collections_over words =
  let before = collections () in
  for _ = 1 to words / 10 do ignore (Sys.opaque_identity (Array.make 9 0)) done;
  collections () - before

let () =
  let before = collections () in
  set 8192;
  Check.int "a change collects" (before + 1) (collections ());
  set 8192;
  Check.int "the same size again does not" (before + 1) (collections ());
  Check.between "the minor heap has room for 8k words" 7000 8192 (Gc.get_minor_free ())

let () =
  let many = collections_over 1_000_000 in
  set 65536;
  let few = collections_over 1_000_000 in
  Check.between "8k words" (1_000_000 / 8192 - 2) (1_000_000 / 8192 + 2) many;
  Check.between "64k words" (1_000_000 / 65536 - 2) (1_000_000 / 65536 + 2) few

let () =
  let child () =
    let at_start = size () in
    set 4096;
    let free = Gc.get_minor_free () in
    let kept = Array.init 5000 (fun i -> ref i) in
    let sound = ref true in
    Array.iteri (fun i r -> if !r <> i then sound := false) kept;
    (at_start, size (), free, !sound)
  in
  let kept = List.init 100 (fun i -> string_of_int i) in
  let at_start, after, free, sound = Domain.join (Domain.spawn child) in
  Check.int "a domain starts with the default" (256 * 1024) at_start;
  Check.int "and sets its own size" 4096 after;
  Check.between "which it gets" 1 4096 free;
  Check.it "its values survive" sound;
  Check.int "the other domain keeps its size" 65536 (size ());
  Check.it "and its values" (kept = List.init 100 string_of_int)
