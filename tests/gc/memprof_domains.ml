(* SPDX-License-Identifier: MIT *)
(* Profiles and domains: who joins, who stops, who is told. *)
module M = Gc.Memprof

let opaque = Sys.opaque_identity
let rec settle n = if n > 0 then settle (n - 1)
let hundred size = opaque (List.init 100 (fun i -> Array.make size i))
let self () = (Domain.self () :> int)
let no_profile = Failure "Gc.Memprof.stop: no profile running."
let in_domain f = Domain.join (Domain.spawn f)

(* Callbacks of several domains may run at once. *)
type told = { born : int Atomic.t; promoted : int Atomic.t; died : int Atomic.t; elsewhere : int Atomic.t; moved : int Atomic.t }

let fresh () =
  { born = Atomic.make 0; promoted = Atomic.make 0; died = Atomic.make 0; elsewhere = Atomic.make 0; moved = Atomic.make 0 }

(* Follows the blocks of one size; a datum is the domain that was told of the birth. [elsewhere] counts what
 * another domain was told. *)
let follow size told : (int, int) M.tracker =
  let born (a : M.allocation) = if a.size = size then begin Atomic.incr told.born; Some (self ()) end else None in
  let later counter d = Atomic.incr counter; if d <> self () then Atomic.incr told.elsewhere in
  { alloc_minor = born; alloc_major = born; promote = (fun d -> later told.promoted d; Some d);
    dealloc_minor = later told.died; dealloc_major = later told.died }

let start size = let told = fresh () in (told, M.start ~sampling_rate:1. (follow size told))
let collect () = Gc.full_major (); settle 10
let kept = Atomic.make []

let () =
  let told, p = start 44 in
  in_domain (fun () -> ignore (hundred 44); in_domain (fun () -> ignore (hundred 44)));
  Check.int "a child joins the profile, and its child" 200 (Atomic.get told.born);
  M.stop ();
  in_domain (fun () -> ignore (hundred 44); Check.raises "a child of a domain that stopped does not sample" no_profile M.stop);
  Check.int "and nothing is told of it" 200 (Atomic.get told.born);
  M.discard p

(* The child has the parent's rate and callstack_size. *)
let () =
  let longest = Atomic.make 0 and blocks = Atomic.make 0 in
  let note (a : M.allocation) =
    let n = Printexc.raw_backtrace_length a.callstack in
    if n > Atomic.get longest then Atomic.set longest n;
    Atomic.incr blocks;
    None
  in
  let p = M.start ~sampling_rate:0.01 ~callstack_size:3 { M.null_tracker with alloc_minor = note; alloc_major = note } in
  in_domain (fun () -> for _ = 1 to 300 do ignore (hundred 9) done);
  M.stop ();
  M.discard p;
  Check.int "the child has its parent's callstack_size" 3 (Atomic.get longest);
  (* 30000 arrays of 10 words and as many cells of 3, and a list's other words: about 3900 samples. *)
  Check.between "and its rate" 3000 6000 (Atomic.get blocks)

let () =
  let told, p = start 44 in
  in_domain M.stop;
  ignore (hundred 44);
  Check.int "stop in a child stops the parent" 0 (Atomic.get told.born);
  Check.raises "there too there is no profile any more" no_profile M.stop;
  M.discard p;
  let told, p = start 44 in
  let stopped = Atomic.make false in
  let child = Domain.spawn (fun () ->
    while not (Atomic.get stopped) do Domain.cpu_relax () done;
    ignore (hundred 44);
    match M.stop () with () -> false | exception Failure _ -> true) in
  M.stop ();
  Atomic.set stopped true;
  Check.it "stop in the parent stops a running child" (Domain.join child);
  Check.int "nothing of it is sampled" 0 (Atomic.get told.born);
  M.discard p

(* Several profiles at the same time. *)
let () =
  let told, p = start 44 in
  let their, q = in_domain (fun () ->
    Check.raises "a child that has joined cannot start" (Failure "Gc.Memprof.start: already started.") (fun () -> start 45);
    (told, p)) in
  Check.it "a profile is a value like others" (their == told && q == p);
  M.stop ();
  M.discard p;
  let run size () =
    let told, p = start size in
    for _ = 1 to 20 do ignore (hundred 44); ignore (hundred 45) done;
    M.stop ();
    M.discard p;
    Atomic.get told.born
  in
  let children = List.map (fun size -> Domain.spawn (run size)) [ 44; 45; 46 ] in
  let counts = List.map Domain.join children in
  Check.equal "domains sample for profiles of their own" (fun l -> String.concat " " (List.map string_of_int l))
    [ 2000; 2000; 0 ] counts

(* A profile is stopped when all that sample for it have ended. *)
let () =
  let told, p = in_domain (fun () ->
    let told, p = start 44 in
    Atomic.set kept (hundred 44);
    Gc.minor ();
    settle 10;
    Check.raises "the profile is sampling" (Failure "Gc.Memprof.discard: profile not stopped.") (fun () -> M.discard p);
    (told, p)) in
  Check.raises "the main domain has none" no_profile M.stop;
  collect ();
  Check.int "its blocks live" 0 (List.length (Atomic.get kept) - 100 + Atomic.get told.died);
  Atomic.set kept [];
  collect ();
  Check.int "of blocks of an ended domain another is told" 100 (Atomic.get told.died);
  Check.int "in another domain" 100 (Atomic.get told.elsewhere);
  M.discard p;
  Check.it "the end of all its domains stops a profile" true

let () =
  let told, p = start 44 in
  in_domain (fun () -> Atomic.set kept (hundred 44));
  settle 10;
  Check.int "promotions are told though the domain has ended" 100 (Atomic.get told.promoted);
  let before = Atomic.get told.born in
  ignore (hundred 44);
  Check.int "the profile goes on in the other domains" (before + 100) (Atomic.get told.born);
  M.stop ();
  M.discard p;
  Atomic.set kept [];
  collect ();
  Check.between "discard ends what the ended domain left" 0 100 (Atomic.get told.died)

(* While its domain lives, that one is told, though another may drop the block and collect. *)
let () =
  let told, p = start 44 in
  let step = Atomic.make 0 in
  let wait n = while Atomic.get step < n do Domain.cpu_relax () done in
  let child = Domain.spawn (fun () -> Atomic.set kept (hundred 44); Gc.minor (); settle 10; Atomic.set step 1; wait 2; settle 10) in
  wait 1;
  Atomic.set kept [];
  Gc.full_major ();
  Atomic.set step 2;
  Domain.join child;
  settle 10;
  Check.int "each block of the child is told dead" 100 (Atomic.get told.died);
  Check.int "by the child" 0 (Atomic.get told.elsewhere);
  M.stop ();
  M.discard p

(* All at once: domains come and go, their blocks live on in others. *)
let () =
  let told, p = start 44 in
  let table = Array.init 50 (fun _ -> Atomic.make [||]) in
  let work seed () =
    let random = Random.State.make [| seed |] in
    for _ = 1 to 500 do
      Atomic.set table.(Random.State.int random 50) (Array.make 44 0);
      if Random.State.int random 100 = 0 then Gc.minor ()
    done
  in
  for round = 1 to 5 do
    List.iter Domain.join (List.init 3 (fun i -> Domain.spawn (work (10 * round + i))))
  done;
  M.stop ();
  Array.iter (fun slot -> Atomic.set slot [||]) table;
  collect ();
  Check.int "each block was told" (5 * 3 * 500) (Atomic.get told.born);
  (* A block whose domain ended before its allocation callback is not tracked; here callbacks run at once. *)
  Check.int "and told dead" (5 * 3 * 500) (Atomic.get told.died);
  M.discard p
