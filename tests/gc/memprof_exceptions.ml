(* SPDX-License-Identifier: MIT *)
(* An exception of a callback comes out of the program where the callback ran, ends the tracking of the
 * block, and stops nothing else. *)
module M = Gc.Memprof

exception Told of string

let opaque = Sys.opaque_identity
let rec settle n = if n > 0 then settle (n - 1)
let come name f = Check.raises name (Told name) (fun () -> f (); settle 10)

(* Raises once, at a block of that size. *)
let armed = ref ""
let after = ref 0
let told name size of_size result =
  if of_size && !armed = name then begin armed := ""; raise (Told name) end;
  if size then incr after;
  result

let big = 303 and small = 33

let tracker : (int, int) M.tracker =
  { alloc_minor = (fun a -> told "alloc_minor" false (a.size = small) (if a.size = small then Some small else None));
    alloc_major = (fun a -> told "alloc_major" false (a.size = big) (if a.size = big then Some big else None));
    promote = (fun n -> told "promote" true true (Some n));
    dealloc_minor = (fun n -> told "dealloc_minor" true true ());
    dealloc_major = (fun n -> told "dealloc_major" true true ()) }

let kept = ref [||]
let allocate n = kept := opaque (Array.make n 0)
let drop () = kept := [||]

let () =
  let p = M.start ~sampling_rate:1. tracker in
  let events name f = after := 0; f (); Gc.full_major (); settle 10; drop (); Gc.full_major (); settle 10; !after in
  armed := "alloc_minor";
  Check.int "nothing more of a block whose allocation callback raised" 0
    (events "alloc_minor" (fun () -> come "alloc_minor" (fun () -> allocate small)));
  armed := "alloc_major";
  Check.int "nor of a large one" 0 (events "alloc_major" (fun () -> come "alloc_major" (fun () -> allocate big)));
  armed := "promote";
  Check.int "no deallocation of a block whose promotion callback raised" 0
    (events "promote" (fun () -> come "promote" (fun () -> allocate small; Gc.minor ())));
  armed := "dealloc_major";
  Check.int "a deallocation is told once, even if its callback raises" 0
    (events "dealloc_major" (fun () -> allocate big; drop (); come "dealloc_major" Gc.full_major));
  let raised = ref 0 in
  let one () = ignore (opaque (Array.make small 0)) in
  let watch f = try f (); settle 10 with Told "dealloc_minor" -> incr raised in
  armed := "dealloc_minor";
  after := 0;
  for _ = 1 to 100 do watch one done;
  watch Gc.full_major;
  settle 10;
  Check.int "dealloc_minor" 1 !raised;
  Check.between "the other 99 are told after it, some promoted before" 99 198 !after;
  Check.int "sampling goes on" 2 (events "promote" (fun () -> allocate small; Gc.minor ()));
  M.stop ();
  M.discard p

(* The allocation in whose callback an exception was raised was not done; the program goes on. *)
let () =
  let left = ref 50 in
  let p = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = fun a ->
    if a.size = 3 && !left > 0 then begin decr left; raise (Told "again") end; None } in
  let done_ = ref 0 and raised = ref 0 in
  for i = 1 to 100 do
    match opaque (i, i, opaque i) with
    | (a, b, c) -> if a = i && b = i && c = i then incr done_
    | exception Told _ -> incr raised
  done;
  M.stop ();
  M.discard p;
  Check.int "each raising callback reaches the program" 50 !raised;
  Check.int "the other allocations are whole" 50 !done_

(* A callback that stops sampling and raises does both. *)
let () =
  let p = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = fun a ->
    if a.size = small then begin M.stop (); raise (Told "stopped") end; None } in
  come "stopped" (fun () -> allocate small);
  Check.raises "stop in a callback" (Failure "Gc.Memprof.stop: no profile running.") M.stop;
  M.discard p
