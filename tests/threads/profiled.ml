(* SPDX-License-Identifier: MIT *)
(* checks: itself *)
(* The memory profiler: a callback runs in the thread that allocated, and while one thread is in a callback the
   others are sampled on. *)
let check name b = Printf.printf "%s %s\n%!" (if b then "ok" else "wrong") name
let self () = Thread.id (Thread.self ())

let () =
  let seen = Hashtbl.create 8 and wrong = ref 0 in
  let mine = Array.make 100 (-1) in
  let inside = ref false and others = ref 0 and first = ref true in
  let alloc (a : Gc.Memprof.allocation) =
    if a.size = 57 then begin
      Hashtbl.replace seen (self ()) ();
      if mine.(self ()) < 0 then incr wrong;
      if !inside then incr others;
      if !first then begin
        first := false;
        inside := true;
        (* Another thread's callbacks run before this one ends. *)
        while !others < 3 do Thread.yield () done;
        inside := false
      end
    end;
    None in
  let handle = Gc.Memprof.start ~sampling_rate:1. ~callstack_size:5
      { Gc.Memprof.null_tracker with alloc_minor = alloc; alloc_major = alloc } in
  let body () =
    mine.(self ()) <- 0;
    for _ = 1 to 50 do ignore (Sys.opaque_identity (Array.make 57 0)); Thread.yield () done in
  let ts = List.init 4 (fun _ -> Thread.create body ()) in
  List.iter Thread.join ts;
  Gc.Memprof.stop ();
  Gc.Memprof.discard handle;
  check "each thread had callbacks of its own" (List.for_all (fun t -> Hashtbl.mem seen (Thread.id t)) ts && !wrong = 0);
  check "a callback suspends its own thread only" (!others >= 3)
