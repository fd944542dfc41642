(* SPDX-License-Identifier: MIT *)
(* What goes on after stop, until discard; what discard lets go; profiles one after another. *)
module M = Gc.Memprof

let opaque = Sys.opaque_identity
let rec settle n = if n > 0 then settle (n - 1)

type told = { mutable born : int; mutable promoted : int; mutable died : int }

let fresh () = { born = 0; promoted = 0; died = 0 }

(* Follows the blocks of one size. *)
let follow size told : (unit, unit) M.tracker =
  let born (a : M.allocation) = if a.size = size then begin told.born <- told.born + 1; Some () end else None in
  { alloc_minor = born; alloc_major = born; promote = (fun () -> told.promoted <- told.promoted + 1; Some ());
    dealloc_minor = (fun () -> told.died <- told.died + 1); dealloc_major = (fun () -> told.died <- told.died + 1) }

let show t = Printf.sprintf "%d born, %d promoted, %d died" t.born t.promoted t.died
let is name born promoted died t = Check.equal name show { born; promoted; died } t
let hundred size = opaque (List.init 100 (fun i -> Array.make size i))
let collect () = Gc.full_major (); settle 10

(* Under Xstress the blocks are promoted before they are asked for. *)
let () =
  let told = fresh () in
  let p = M.start ~sampling_rate:1. (follow 44 told) in
  let kept = opaque (ref (hundred 44)) in
  M.stop ();
  ignore (opaque (hundred 44));
  is "nothing is sampled after stop" 100 told.promoted 0 told;
  Gc.minor ();
  settle 10;
  is "promotions are told after stop" 100 100 0 told;
  kept := [];
  collect ();
  is "deallocations are told after stop" 100 100 100 told;
  ignore (opaque !kept);
  M.discard p

let () =
  let told = fresh () in
  let p = M.start ~sampling_rate:1. (follow 44 told) in
  let kept = opaque (ref (hundred 44)) in
  Gc.minor ();
  settle 10;
  M.stop ();
  M.discard p;
  kept := [];
  collect ();
  is "nothing is told after discard" 100 100 0 told;
  ignore (opaque !kept)

(* Two profiles one after the other: each block keeps to its own. *)
let () =
  let first = fresh () and second = fresh () in
  let p = M.start ~sampling_rate:1. (follow 44 first) in
  let kept = opaque (ref (hundred 44)) in
  M.stop ();
  let q = M.start ~sampling_rate:1. (follow 44 second) in
  let kept' = opaque (ref (hundred 44)) in
  kept := [];
  collect ();
  Check.int "the first profile's blocks are the first's" 100 first.died;
  is "the second profile's are the second's" 100 100 0 second;
  M.stop ();
  M.discard p;
  kept' := [];
  collect ();
  is "discard of one leaves the other" 100 100 100 second;
  M.discard q;
  ignore (opaque (!kept, !kept'))

(* Discard lets the data go, though the blocks live; and the callbacks. *)
let () =
  let weak = Weak.create 2 in
  let run () =
    let closure = opaque (ref 0) in
    Weak.set weak 1 (Some (Obj.repr closure));
    let data (a : M.allocation) =
      if a.size <> 44 then None
      else begin
        let datum = Bytes.create 10 in
        if not (Weak.check weak 0) then Weak.set weak 0 (Some (Obj.repr datum));
        incr closure;
        Some datum
      end
    in
    let p = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = data; promote = fun d -> incr closure; Some d } in
    let kept = hundred 44 in
    M.stop ();
    (p, kept)
  in
  let p, kept = run () in
  collect ();
  Check.it "a datum lives as long as its block" (Weak.check weak 0);
  Check.it "and so do the callbacks" (Weak.check weak 1);
  M.discard p;
  collect ();
  collect ();
  Check.it "discard lets the data go" (not (Weak.check weak 0));
  Check.it "and the callbacks" (not (Weak.check weak 1));
  ignore (opaque (p, kept))

(* A profile that the program forgets goes on. *)
let () =
  let told = fresh () in
  ignore (M.start ~sampling_rate:1. (follow 44 told));
  collect ();
  let kept = opaque (ref (hundred 44)) in
  collect ();
  kept := [];
  collect ();
  is "a profile without a handle goes on" 100 100 100 told;
  ignore (opaque !kept);
  M.stop ()

(* In callbacks. *)
let () =
  let told = fresh () and inner = ref None in
  let f = follow 44 told in
  let p = M.start ~sampling_rate:1. { f with alloc_minor = fun a -> if a.size = 44 && told.born = 50 then M.stop (); f.alloc_minor a } in
  let kept = opaque (ref (hundred 44)) in
  Check.raises "stop in a callback stops" (Failure "Gc.Memprof.stop: no profile running.") M.stop;
  Check.int "the block of that callback is the last" 51 told.born;
  M.discard p;
  let second = fresh () in
  let restart a = if a.M.size = 44 && !inner = None then begin
      M.stop ();
      inner := Some (M.start ~sampling_rate:1. (follow 45 second))
    end; None in
  let p = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = restart } in
  kept := hundred 44;
  kept := hundred 45;
  Check.int "start in a callback starts" 100 second.born;
  M.stop ();
  M.discard p;
  M.discard (Option.get !inner);
  let third = fresh () and p = ref None in
  let f = follow 44 third in
  p := Some (M.start ~sampling_rate:1. { f with alloc_minor = fun a ->
    if a.size = 44 && third.born = 10 then begin M.stop (); M.discard (Option.get !p) end; f.alloc_minor a });
  kept := hundred 44;
  collect ();
  kept := [];
  collect ();
  Check.int "discard in a callback ends it: allocations" 11 third.born;
  Check.int "discard in a callback ends it: deallocations" 0 third.died;
  ignore (opaque !kept)
