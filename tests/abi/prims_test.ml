(* SPDX-License-Identifier: MIT *)
(* The primitives of Gc, Weak, Ephemeron, Domain, Mutex, Condition, Atomic, Lazy,
   Sys.signal and recursive values, as the library documents them. What only Bactrian does
   is checked where the runtime is Bactrian. *)

let failures = ref 0
let check name ok =
  if not ok then incr failures;
  print_endline ((if ok then "ok " else "not ok ") ^ name)
let raises name f expected =
  check name (match f () with exception e -> e = expected | _ -> false)
let hide = Sys.opaque_identity

(* ---- Recursive values ---- *)

type tree = { label : int; next : tree; others : tree list }
type floats = { x : float; y : float }

let recursive () =
  let rec a = { label = 1; next = b; others = [ a; b ] } and b = { label = 2; next = a; others = [] } in
  check "letrec_records" (a.next.next == a && List.hd a.others == a && b.next.label = 1);
  let rec l = 1 :: 2 :: l in
  check "letrec_list" (List.nth l 101 = 2);
  let rec even n = n = 0 || odd (n - 1) and odd n = n <> 0 && even (n - 1) and table = [ even; odd ] in
  Gc.full_major ();
  check "letrec_closures" ((List.hd table) 10 && not ((List.nth table 1) 10));
  let rec f = { x = 1.5; y = 2.5 } and g = lazy (f.x +. f.y) in
  Gc.minor ();
  check "letrec_floats" (Lazy.force g = 4.0 && f.y = 2.5);
  let rec p = (q, fun () -> fst q) and q = (7, fun () -> snd p ()) in
  check "letrec_mixed" (snd q () = 7);
  let rec z = [| 1.0; 2.0 |] and w = [| z; z |] in
  check "letrec_float_array" (w.(1).(1) = 2.0 && w.(0) == z)

(* ---- Lazy ---- *)

let laziness () =
  let count = ref 0 in
  let l = lazy (incr count; !count) in
  check "lazy_once" (Lazy.force l = 1 && Lazy.force l = 1 && !count = 1);
  let rec self = lazy (1 + Lazy.force (hide self)) in
  raises "lazy_undefined" (fun () -> Lazy.force self) CamlinternalLazy.Undefined;
  let bad = lazy (incr count; failwith "lazy") in
  raises "lazy_raises" (fun () -> Lazy.force bad) (Failure "lazy");
  raises "lazy_raises_again" (fun () -> Lazy.force bad) (Failure "lazy");
  check "lazy_raised_once" (!count = 2);
  check "lazy_from_val" (Lazy.is_val (Lazy.from_val (hide 1.5)) && Lazy.force (Lazy.from_val 1.5) = 1.5);
  let shared = lazy (for _ = 1 to 100_000 do ignore (hide (ref 0)) done; ref 3) in
  let d = Domain.spawn (fun () -> try Some (Lazy.force shared) with CamlinternalLazy.Undefined -> None) in
  let here = try Some (Lazy.force shared) with CamlinternalLazy.Undefined -> None in
  let there = Domain.join d in
  check "lazy_domains" (match here, there with
    | Some a, Some b -> a == b
    | Some r, None | None, Some r -> !r = 3
    | None, None -> false)

(* ---- Object numbers, atomics ---- *)

class empty = object end

let atomics () =
  let a = new empty and b = new empty in
  check "object_ids" (Oo.id a <> Oo.id b && Oo.copy a <> a);
  let ids = List.map Domain.join (List.init 3 (fun _ ->
    Domain.spawn (fun () -> List.init 3000 (fun _ -> Oo.id (new empty))))) in
  check "object_ids_domains" (List.length (List.sort_uniq compare (List.concat ids)) = 9000);
  let r = Atomic.make 5 in
  check "atomic" (Atomic.exchange r 6 = 5 && Atomic.fetch_and_add r (-10) = 6 && Atomic.get r = -4
    && Atomic.compare_and_set r (-4) 1 && not (Atomic.compare_and_set r 5 2));
  let c = Atomic.make_contended (hide [ 1 ]) in
  Gc.full_major ();
  check "atomic_contended" (Atomic.get c = [ 1 ] && (Atomic.set c [ 2 ]; Atomic.get c = [ 2 ]));
  let n = Atomic.make 0 and l = Atomic.make [] in
  let rec push x = let old = Atomic.get l in if not (Atomic.compare_and_set l old (x :: old)) then push x in
  List.iter Domain.join (List.init 3 (fun _ -> Domain.spawn (fun () ->
    for i = 1 to 10_000 do Atomic.incr n; if i mod 10 = 0 then push (ref i) done)));
  check "atomic_domains" (Atomic.get n = 30_000 && List.length (Atomic.get l) = 3000
    && List.for_all (fun r -> !r mod 10 = 0) (Atomic.get l))

(* ---- Weak ---- *)

let weak () =
  let w = Weak.create 4 in
  let kept = ref "kept" in
  Weak.set w 0 (Some kept);
  Weak.set w 1 (Some (ref "dropped"));
  Weak.set w 2 (Some (Obj.magic 42));
  check "weak_get" (Weak.get w 0 == Some kept || Weak.get w 0 = Some kept);
  check "weak_get_copy" (match Weak.get_copy w 0 with Some r -> r = kept && r != kept | None -> false);
  Gc.full_major ();
  check "weak_check" (Weak.check w 0 && not (Weak.check w 1) && Weak.check w 2 && not (Weak.check w 3));
  check "weak_same" (match Weak.get w 0 with Some r -> r == kept | None -> false);
  Weak.blit w 0 w 1 3;
  check "weak_blit" (Weak.check w 1 && not (Weak.check w 2) && Weak.check w 3);
  Weak.fill w 0 4 None;
  check "weak_fill" (not (Weak.check w 0 || Weak.check w 3) && Weak.get w 0 = None && Weak.get_copy w 1 = None);
  check "weak_length" (Weak.length w = 4 && Weak.length (Weak.create 0) = 0);
  raises "weak_create" (fun () -> Weak.create (-1)) (Invalid_argument "Weak.create");
  raises "weak_create_large" (fun () -> Weak.create (Obj.Ephemeron.max_ephe_length + 1)) (Invalid_argument "Weak.create");
  raises "weak_bounds" (fun () -> Weak.get w 4) (Invalid_argument "Weak.get");
  let s = Weak.create 3 in
  Weak.set s 0 (Some (hide "text"));
  check "weak_copy_string" (Weak.get_copy s 0 = Some "text");
  let f = Weak.create 2 in
  let rec odd n = n <> 0 && even (n - 1) and even n = n = 0 || odd (n - 1) in
  Weak.set f 0 (Some odd); Weak.set f 1 (Some even);
  (match Weak.get_copy f 0, Weak.get_copy f 1 with
   | Some o, Some e -> Gc.full_major (); check "weak_copy_closures" (o 7 && e 8)
   | _ -> check "weak_copy_closures" false);
  let b = Weak.create 1 in
  Weak.set b 0 (Some (hide 5L));
  check "weak_copy_custom" (Weak.get_copy b 0 = Some 5L);
  check "weak_many" (
    let w = Weak.create 1000 in
    let live = Array.init 1000 (fun i -> ref i) in
    Array.iteri (fun i r -> Weak.set w i (Some (if i mod 2 = 0 then r else ref (-i)))) live;
    Gc.compact ();
    let ok = ref true in
    for i = 0 to 999 do
      if i mod 2 = 0 then ok := !ok && (match Weak.get w i with Some r -> r == live.(i) | None -> false)
      else ok := !ok && not (Weak.check w i)
    done;
    !ok)

let ephemerons () =
  let open Ephemeron in
  let key = ref 1 in
  let e = K1.make key (ref 2) in
  let dead = K1.make (ref 1) (ref 2) in
  Gc.full_major ();
  check "ephemeron" (K1.query e key = Some (ref 2));
  check "ephemeron_dead" (K1.query dead (ref 1) = None);
  let o = Obj.Ephemeron.create 3 in
  Obj.Ephemeron.set_key o 0 (Obj.repr key);
  Obj.Ephemeron.set_data o (Obj.repr "data");
  check "obj_ephemeron" (Obj.Ephemeron.length o = 3 && Obj.Ephemeron.check_data o
    && Obj.Ephemeron.get_data o = Some (Obj.repr "data") && not (Obj.Ephemeron.check_key o 1));
  check "obj_ephemeron_copy" (match Obj.Ephemeron.get_data_copy o, Obj.Ephemeron.get_key_copy o 0 with
    | Some d, Some k -> Obj.obj d = "data" && Obj.obj k = ref 1 && k != Obj.repr key
    | _ -> false);
  let p = Obj.Ephemeron.create 3 in
  Obj.Ephemeron.blit_key o 0 p 1 2;
  Obj.Ephemeron.blit_data o p;
  check "obj_ephemeron_blit" (Obj.Ephemeron.check_key p 1 && Obj.Ephemeron.check_data p && not (Obj.Ephemeron.check_key p 0));
  Obj.Ephemeron.unset_data p; Obj.Ephemeron.unset_key p 1;
  check "obj_ephemeron_unset" (not (Obj.Ephemeron.check_data p || Obj.Ephemeron.check_key p 1));
  raises "obj_ephemeron_bounds" (fun () -> Obj.Ephemeron.get_key o 3) (Invalid_argument "Obj.Ephemeron.get_key");
  let module H = K1.Make (struct type t = int ref let equal = ( == ) let hash r = !r end) in
  let h = H.create 16 in
  let keys = List.init 100 (fun i -> ref i) in
  List.iter (fun k -> H.replace h k (ref k)) keys;
  for i = 1 to 100 do H.replace h (ref i) (ref (ref i)) done;
  Gc.full_major (); H.clean h;
  check "ephemeron_table" (H.length h = 100 && List.for_all (fun k -> !(H.find h k) == k) keys);
  check "ephemeron_alive" (!key = 1)

(* ---- Finalisers ---- *)

let finalisers () =
  let log = ref [] in
  let note s = log := s :: !log in
  let make () =
    Gc.finalise (fun r -> note ("first " ^ !r)) (hide (ref "a"));
    Gc.finalise_last (fun () -> note "last") (hide (ref "b"))
  in
  make (); Gc.full_major (); Gc.full_major ();
  check "finalise" (List.sort compare !log = [ "first a"; "last" ]);
  let saved = ref None and v = ref (Some (ref "again")) in
  Gc.finalise (fun r -> saved := Some r) (Option.get !v);
  v := None;
  Gc.full_major ();
  check "finalise_resurrects" (!saved = Some (ref "again"));
  raises "finalise_int" (fun () -> Gc.finalise ignore (Obj.magic 3)) (Invalid_argument "Gc.finalise");
  raises "finalise_float" (fun () -> Gc.finalise ignore (hide 3.5)) (Invalid_argument "Gc.finalise");
  raises "finalise_lazy" (fun () -> Gc.finalise ignore (lazy (hide 3))) (Invalid_argument "Gc.finalise");
  raises "finalise_last_int" (fun () -> Gc.finalise_last ignore (Obj.magic 3)) (Invalid_argument "Gc.finalise");
  let rec f n = if n = 0 then log else g (n - 1) and g n = if n = 0 then log else f (n - 1) in
  Gc.finalise (fun h -> ignore (h 3)) g;
  Gc.finalise_last ignore g;
  check "finalise_infix" (f 3 == log);
  let raising () = Gc.finalise (fun _ -> raise Exit) (hide (ref 0)) in
  raising ();
  check "finalise_raises" (match Gc.full_major () with exception Exit -> true | () -> false);
  let nested = ref 0 in
  let one () = Gc.finalise (fun _ -> Gc.finalise_release (); incr nested; Gc.full_major ()) (hide (ref 0)) in
  one (); one ();
  Gc.full_major ();
  check "finalise_release" (!nested = 2);
  let alarms = ref 0 in
  let alarm = Gc.create_alarm (fun () -> incr alarms) in
  Gc.full_major (); Gc.full_major ();
  Gc.delete_alarm alarm;
  let so_far = !alarms in
  Gc.full_major (); Gc.full_major ();
  check "alarm" (so_far >= 2 && !alarms = so_far)

(* ---- Gc ---- *)

let gc is_bactrian =
  let c = Gc.get () in
  Gc.set { c with minor_heap_size = 65536; space_overhead = 100; custom_major_ratio = 50;
                  custom_minor_ratio = 90; custom_minor_max_size = 8000; stack_limit = 1 lsl 20 };
  let n = Gc.get () in
  check "gc_set" (n.minor_heap_size = 65536 && n.space_overhead = 100 && n.custom_major_ratio = 50
    && n.custom_minor_ratio = 90 && n.custom_minor_max_size = 8000 && n.stack_limit = 1 lsl 20);
  Gc.set c;
  check "gc_set_back" ((Gc.get ()).minor_heap_size = c.minor_heap_size);
  check "gc_minor_free" (Gc.get_minor_free () > 0);
  let before = Gc.minor_words () in
  for _ = 1 to 1000 do ignore (hide (ref 0)) done;
  let after = Gc.minor_words () in
  check "gc_minor_words" (after -. before >= 2000. && after -. before < 10000.);
  let s0 = Gc.quick_stat () in
  let keep = hide (Array.init 10_000 (fun i -> ref i)) in
  Gc.minor (); Gc.major (); Gc.full_major (); Gc.compact (); ignore (Gc.major_slice 1000);
  let s1 = Gc.stat () in
  check "gc_collections" (s1.minor_collections > s0.minor_collections + 2 && s1.major_collections > s0.major_collections + 2
    && s1.compactions = s0.compactions + 1 && s1.forced_major_collections > s0.forced_major_collections);
  check "gc_words" (s1.promoted_words >= s0.promoted_words +. 20_000. && s1.major_words >= s1.promoted_words
    && s1.minor_words > s0.minor_words);
  check "gc_heap" (s1.live_words > 30_000 && s1.heap_words >= s1.live_words && s1.top_heap_words >= s1.heap_words
    && s1.live_blocks > 10_000);
  let mi, pr, ma = Gc.counters () in
  check "gc_counters" (mi > 0. && pr > 0. && ma >= pr);
  check "gc_allocated" (Gc.allocated_bytes () > 0.);
  if is_bactrian then begin
    let s = Gc.quick_stat () in
    check "gc_identity" (s.heap_words = s.live_words + s.free_words + s.fragments);
    check "gc_minor_free_words" (Gc.get_minor_free () <= c.minor_heap_size);
    check "gc_counters_adopted" (mi >= s1.minor_words && ma >= s1.major_words);
    check "gc_no_zeroes" (s.heap_chunks > 0 && s.stack_size > 0 && c.max_overhead = 500 && c.window_size = 1
      && c.major_heap_increment = 15);
    Gc.set { c with window_size = 7; max_overhead = 300; allocation_policy = 2; major_heap_increment = 40 };
    let n = Gc.get () in
    check "gc_more_parameters" (n.window_size = 7 && n.max_overhead = 300 && n.allocation_policy = 2
      && n.major_heap_increment = 40);
    Gc.set { c with window_size = 1000; minor_heap_size = -5; space_overhead = 0 };
    let n = Gc.get () in
    check "gc_clamps" (n.window_size = 50 && n.minor_heap_size > 0 && n.space_overhead = 1);
    Gc.set c
  end;
  check "gc_kept" (Array.length keep = 10_000 && !(keep.(77)) = 77)

(* ---- Mutex, Condition ---- *)

let mutexes () =
  let m = Mutex.create () in
  Mutex.lock m;
  check "mutex_try_held" (not (Mutex.try_lock m));
  raises "mutex_relock" (fun () -> Mutex.lock m) (Sys_error "Mutex.lock: Resource deadlock avoided");
  Mutex.unlock m;
  raises "mutex_unlock_free" (fun () -> Mutex.unlock m) (Sys_error "Mutex.unlock: Operation not permitted");
  check "mutex_try" (Mutex.try_lock m);
  let d = Domain.spawn (fun () -> match Mutex.unlock m with exception Sys_error s -> s | () -> "") in
  check "mutex_unlock_other" (Domain.join d = "Mutex.unlock: Operation not permitted");
  Mutex.unlock m;
  check "mutex_compare" (m = m && Mutex.create () <> m && Hashtbl.hash m = Hashtbl.hash m);
  for _ = 1 to 20_000 do ignore (hide (Mutex.create ())); ignore (hide (Condition.create ())) done;
  let queue = Queue.create () and c = Condition.create () in
  let consumer = Domain.spawn (fun () ->
    let sum = ref 0 in
    for _ = 1 to 1000 do
      Mutex.protect m (fun () ->
        while Queue.is_empty queue do Condition.wait c m done;
        sum := !sum + !(Queue.pop queue))
    done;
    !sum) in
  for i = 1 to 1000 do
    Mutex.protect m (fun () -> Queue.push (ref i) queue);
    if i mod 2 = 0 then Condition.signal c else Condition.broadcast c;
    if i mod 100 = 0 then Gc.minor ()
  done;
  check "condition" (Domain.join consumer = 500_500)

(* ---- Domain ---- *)

let domains () =
  check "domain_self" ((Domain.self () :> int) = 0 && Domain.is_main_domain () && Domain.self_index () = 0);
  let d = Domain.spawn (fun () -> ((Domain.self () :> int), Domain.is_main_domain (), Domain.self_index ())) in
  let spawned = (Domain.get_id d :> int) in
  let id, main, index = Domain.join d in
  check "domain_id" (id = spawned && id > 0 && not main && index > 0);
  check "domain_join_twice" (Domain.join d = (id, main, index));
  raises "domain_raises" (fun () -> Domain.join (Domain.spawn (fun () -> failwith "inside"))) (Failure "inside");
  let key = Domain.DLS.new_key ~split_from_parent:(fun n -> n + 1) (fun () -> 10) in
  Domain.DLS.set key 20;
  check "domain_dls" (Domain.join (Domain.spawn (fun () ->
    let here = Domain.DLS.get key in Domain.DLS.set key 0; here)) = 21 && Domain.DLS.get key = 20);
  let keys = List.init 100 (fun i -> Domain.DLS.new_key (fun () -> ref i)) in
  let total () = List.fold_left (fun n k -> n + !(Domain.DLS.get k)) 0 keys in
  check "domain_dls_many" (total () = 4950 && Domain.join (Domain.spawn (fun () -> Gc.minor (); total ())) = 4950);
  let log = ref [] in
  Domain.join (Domain.spawn (fun () -> Domain.at_exit (fun () -> log := "exit" :: !log); log := "body" :: !log));
  check "domain_at_exit" (!log = [ "exit"; "body" ]);
  check "domain_count" (Domain.recommended_domain_count () >= 1);
  let flag = Atomic.make false in
  let spin = Domain.spawn (fun () -> while not (Atomic.get flag) do Domain.cpu_relax () done; "seen") in
  Gc.full_major ();
  Atomic.set flag true;
  check "domain_cpu_relax" (Domain.join spin = "seen");
  (* One after another: a joined domain has given back its slot. *)
  let ok = ref true in
  for i = 1 to 300 do
    ok := !ok && Domain.join (Domain.spawn (fun () -> !(hide (ref i)))) = i
  done;
  check "domain_many" !ok;
  let tree = Domain.spawn (fun () ->
    let ds = List.init 4 (fun i -> Domain.spawn (fun () ->
      let rec grow n = if n = 0 then [] else ref i :: grow (n - 1) in
      let l = grow 20_000 in
      Gc.minor ();
      List.fold_left (fun n r -> n + !r) 0 l)) in
    List.map Domain.join ds) in
  check "domain_nested" (Domain.join tree = [ 0; 20_000; 40_000; 60_000 ]);
  let rec spawn_all acc = match Domain.spawn (fun () ->
      while not (Atomic.get flag) do Domain.cpu_relax () done) with
    | d -> spawn_all (d :: acc)
    | exception Failure m -> acc, m in
  Atomic.set flag false;
  let stop = ref false in
  let ds, message = spawn_all [] in
  stop := true;
  Atomic.set flag true;
  List.iter Domain.join ds;
  check "domain_limit" (message = "failed to allocate domain" && List.length ds >= 7 && !stop);
  check "domain_after_limit" (Domain.join (Domain.spawn (fun () -> 5)) = 5)

(* ---- Signals ---- *)

let signals () =
  let me = int_of_string (String.trim (In_channel.with_open_text "/proc/self/stat" (fun ic -> List.hd (String.split_on_char (Char.chr 32) (input_line ic))))) in
  let kill s = ignore (Sys.command (Printf.sprintf "kill -%s %d" s me)) in
  let count = ref 0 in
  Sys.set_signal Sys.sigusr1 (Signal_handle (fun _ -> incr count));
  kill "USR1";
  for _ = 1 to 100 do ignore (hide (ref 0)) done;
  check "signal" (!count = 1);
  Sys.set_signal Sys.sigusr1 (Signal_handle (fun _ -> raise Exit));
  check "signal_exit" (match kill "USR1"; for _ = 1 to 1000 do ignore (hide (ref 0)) done with
    | exception Exit -> true | () -> false);
  (* The main domain waits where no signal wakes it: another one runs the handler. *)
  let seen = Atomic.make (-1) in
  Sys.set_signal Sys.sigusr1 (Signal_handle (fun _ -> Atomic.set seen (Domain.self () :> int)));
  let d = Domain.spawn (fun () ->
    kill "USR1";
    let n = ref 0 in
    while Atomic.get seen < 0 && !n < 2_000_000_000 do incr n; ignore (hide (ref 0)) done;
    Atomic.get seen) in
  check "signal_any_domain" (Domain.join d >= 0);
  Sys.set_signal Sys.sigusr1 Signal_default

(* A handler may use the domain's local storage, also in a domain that has only just begun (stock
   5.3.0 crashes here). *)
let signals_at_birth () =
  let me = int_of_string (String.trim (In_channel.with_open_text "/proc/self/stat" (fun ic -> List.hd (String.split_on_char (Char.chr 32) (input_line ic))))) in
  let key = Domain.DLS.new_key (fun () -> 7) and handled = Atomic.make 0 in
  Sys.set_signal Sys.sigusr1 (Signal_handle (fun _ -> if Domain.DLS.get key = 7 then Atomic.incr handled));
  ignore (Sys.command (Printf.sprintf "(i=0; while [ $i -lt 20000 ] && kill -USR1 %d; do i=$((i+1)); done) 2>/dev/null &" me));
  let good = ref 0 in
  for i = 1 to 200 do if Domain.join (Domain.spawn (fun () -> Domain.DLS.get key + i)) = 7 + i then incr good done;
  Sys.set_signal Sys.sigusr1 Signal_ignore;
  check "signals_at_birth" (!good = 200 && Atomic.get handled > 0)

let () =
  let is_bactrian = Array.length Sys.argv > 1 in
  recursive ();
  laziness ();
  atomics ();
  weak ();
  ephemerons ();
  finalisers ();
  gc is_bactrian;
  mutexes ();
  domains ();
  signals ();
  if is_bactrian then signals_at_birth ();
  exit (if !failures > 0 then 1 else 0)
