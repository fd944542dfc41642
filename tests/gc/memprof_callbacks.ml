(* SPDX-License-Identifier: MIT *)
(* The life of a sampled block as the callbacks tell it: allocation, promotion, deallocation, in this order,
 * each at most once and each with the datum of the one before; None ends it. *)
module M = Gc.Memprof

let opaque = Sys.opaque_identity

(* What was told of a block. The data are the history itself, so that a mix-up shows. *)
type history = { size : int; mutable events : string list }

let tracker histories : (history, history) M.tracker =
  let born name (a : M.allocation) =
    let h = { size = a.size; events = [ name ] } in
    histories := h :: !histories;
    Some h
  in
  let add name h = h.events <- name :: h.events in
  { alloc_minor = born "minor"; alloc_major = born "major"; promote = (fun h -> add "promote" h; Some h);
    dealloc_minor = add "dealloc_minor"; dealloc_major = add "dealloc_major" }

let said h = String.concat " " (List.rev h.events)
let lives = [ "minor"; "major"; "minor dealloc_minor"; "minor promote"; "minor promote dealloc_major"; "major dealloc_major" ]

(* Callbacks that are due run at a poll. *)
let rec settle n = if n > 0 then settle (n - 1)

let histories = ref []
let of_size n = List.filter (fun h -> h.size = n) !histories
let only name size want =
  match of_size size with
  | [ h ] -> Check.string name want (said h)
  | l -> Check.int (name ^ ": one block") 1 (List.length l)

let () =
  let profile = M.start ~sampling_rate:1. (tracker histories) in
  let young = ref (Array.make 41 0) and old = ref (Array.make 301 0) in
  settle 10;
  Gc.minor ();
  settle 10;
  ignore (opaque !young);
  ignore (opaque !old);
  Gc.full_major ();
  settle 10;
  M.stop ();
  let at_stop size = match of_size size with [ h ] -> said h | _ -> "" in
  let kept = (at_stop 41, at_stop 301) in
  Check.string "a young block that lives is promoted" "minor promote" (fst kept);
  Check.string "a large block is born in the major heap and not promoted" "major" (snd kept);
  ignore (opaque (!young, !old));
  young := [||];
  old := [||];
  Gc.full_major ();
  settle 10;
  only "then it dies in the major heap" 41 "minor promote dealloc_major";
  only "a large block dies in the major heap" 301 "major dealloc_major";
  M.discard profile

(* A dead old block keeps a young one through a minor collection: both events are due when callbacks next run. *)
let () =
  histories := [];
  let profile = M.start ~sampling_rate:1. (tracker histories) in
  let[@inline never] leave () =
    let old = Array.make 300 [||] in
    old.(0) <- Array.make 41 0;
    ignore (opaque old)
  in
  leave ();
  M.stop ();
  Gc.full_major ();
  settle 10;
  only "a block that is promoted and dies before a callback runs" 41 "minor promote dealloc_major";
  M.discard profile

(* Young blocks die where they are: only a collection in their life's moment can promote one. *)
let () =
  histories := [];
  let profile = M.start ~sampling_rate:1. (tracker histories) in
  for i = 1 to 1000 do ignore (opaque (Array.make 7 i)) done;
  M.stop ();
  Gc.full_major ();
  settle 10;
  let all = of_size 7 in
  let died = List.filter (fun h -> said h = "minor dealloc_minor") all in
  Check.int "each of 1000 blocks is told" 1000 (List.length all);
  Check.between "young blocks die in the minor heap" 800 1000 (List.length died);
  Check.it "the others were promoted first"
    (List.for_all (fun h -> said h = "minor dealloc_minor" || said h = "minor promote dealloc_major") all);
  M.discard profile

(* Many blocks at random: nothing but a life, and at the end each is dead. *)
let () =
  histories := [];
  let profile = M.start ~sampling_rate:0.3 ~callstack_size:2 (tracker histories) in
  let random = Random.State.make [| 5 |] in
  let slots = Array.make 500 [||] in
  for _ = 1 to 6_000 do
    slots.(Random.State.int random 500) <- Array.make (1 + Random.State.int random 40) 0;
    if Random.State.int random 1500 = 0 then Gc.full_major ();
    if Random.State.int random 200 = 0 then Gc.minor ()
  done;
  M.stop ();
  Gc.full_major ();
  settle 10;
  Check.it "a block's events are those of a life" (List.for_all (fun h -> List.mem (said h) lives) !histories);
  let alive () = List.length (List.filter (fun h -> not (String.contains (said h) 'd')) !histories) in
  let sampled_alive = alive () in
  Check.between "at most what is alive is not told dead" 1 505 sampled_alive;
  Array.fill slots 0 500 [||];
  Gc.full_major ();
  settle 10;
  Check.between "and when it dies it is told" 0 5 (alive ());
  ignore (opaque slots);
  M.discard profile

(* None ends the tracking. *)
let () =
  let count = ref 0 in
  let tell _ = incr count in
  let live make =
    count := 0;
    let p = M.start ~sampling_rate:1. (make ()) in
    let kept = ref (opaque (List.init 100 string_of_int, Array.make 400 0)) in
    Gc.minor ();
    settle 10;
    M.stop ();
    kept := ([], [||]);
    Gc.full_major ();
    settle 10;
    ignore (opaque kept);
    M.discard p;
    !count
  in
  let none : unit -> (unit, unit) M.tracker = fun () ->
    { alloc_minor = (fun _ -> None); alloc_major = (fun _ -> None); promote = (fun _ -> tell (); None);
      dealloc_minor = tell; dealloc_major = tell } in
  Check.int "None at the allocation: nothing more is told" 0 (live none);
  let promoted = ref 0 in
  let none_at_promotion () = { (none ()) with M.alloc_minor = (fun _ -> Some ()); promote = (fun _ -> incr promoted; None);
                               dealloc_minor = ignore } in
  Check.int "None at the promotion: no deallocation in the major heap is told" 0 (live none_at_promotion);
  Check.between "but the promotion was" 200 2000 !promoted

(* The data of promotion and allocation in the major heap may have another type than those of the minor heap. *)
let () =
  let sum = ref 0 in
  let tracker : (int, string) M.tracker =
    { alloc_minor = (fun a -> if a.size = 33 then Some a.size else None);
      alloc_major = (fun a -> if a.size = 444 then Some (string_of_int a.size) else None);
      promote = (fun n -> Some (string_of_int n)); dealloc_minor = (fun n -> sum := !sum + n);
      dealloc_major = (fun s -> sum := !sum + int_of_string s) } in
  let p = M.start ~sampling_rate:1. tracker in
  let kept = ref (opaque (Array.make 33 0, Array.make 444 0)) in
  Gc.minor ();
  settle 10;
  kept := ([||], [||]);
  M.stop ();
  Gc.full_major ();
  settle 10;
  ignore (opaque kept);
  Check.int "data pass from callback to callback" 477 !sum;
  M.discard p

(* Callbacks allocate; they are not sampled and none runs within another. *)
let () =
  let inside = ref 0 and nested = ref 0 and odd = ref 0 in
  let callback result _ =
    if !inside > 0 then incr nested;
    incr inside;
    let work = opaque (List.init 30 (fun i -> Array.make 77 i)) in
    if List.length (opaque work) mod 10 = 3 then Gc.minor ();
    ignore (opaque (Array.make 777 0));
    decr inside;
    result
  in
  let watch (a : M.allocation) = if a.size = 77 || a.size = 777 then incr odd; callback (Some ()) a in
  let p = M.start ~sampling_rate:1. { M.alloc_minor = watch; alloc_major = watch; promote = callback (Some ());
                                      dealloc_minor = callback (); dealloc_major = callback () } in
  let kept = opaque (List.init 200 (fun i -> (i, string_of_int i))) in
  ignore (opaque (Array.make 500 0));
  Gc.full_major ();
  settle 10;
  ignore (opaque kept);
  M.stop ();
  Check.int "what a callback allocates is not sampled" 0 !odd;
  Check.int "no callback runs within a callback" 0 !nested;
  M.discard p

(* What comes due while a callback runs is told after it, without another collection or allocation. *)
let () =
  let promoted = ref 0 and armed = ref false in
  let alloc (a : M.allocation) = if !armed then begin armed := false; Gc.minor () end; if a.size = 55 then Some () else None in
  let p = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = alloc; promote = (fun () -> incr promoted; None) } in
  let kept = opaque (Array.make 55 0) in
  settle 10;
  armed := true;
  ignore (opaque (ref 0));
  settle 10;
  Check.int "a promotion during a callback is told soon after" 1 !promoted;
  ignore (opaque kept);
  M.stop ();
  M.discard p
