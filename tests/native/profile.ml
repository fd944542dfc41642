(* SPDX-License-Identifier: MIT *)
(* variants: no-stress *)
(* The memory profiler where several blocks are allocated together: each is told, with its own place. *)
module M = Gc.Memprof
let place (a : M.allocation) = match Printexc.backtrace_slots a.callstack with
  | None -> "-"
  | Some slots -> (match Printexc.Slot.location slots.(0) with
    | Some l -> Printf.sprintf "%d:%d-%d" l.line_number l.start_char l.end_char | None -> "?")
let profile name f =
  let seen = ref [] in
  let note (a : M.allocation) = seen := (a.size, a.n_samples, place a) :: !seen; None in
  let _ = M.start ~sampling_rate:1. { M.null_tracker with alloc_minor = note } in
  let r = f () in
  M.stop ();
  ignore (Sys.opaque_identity r);
  Printf.printf "%s:" name;
  List.iter (fun (size, n, where) -> Printf.printf " %d words %d samples at %s;" size n where) (List.rev !seen);
  print_newline ()
let[@inline never] pairs a b = ((a, b),
  (b, a, a))
let[@inline never] nested a = [ [ a ]; [ a; a ] ]
let[@inline never] mixed a = let r = ref a in let f x = x + a in let s = (r, f) in (s, float_of_int a)
let () =
  let n = Sys.opaque_identity 7 in
  profile "pairs" (fun () -> pairs n n);
  profile "nested" (fun () -> nested n);
  profile "mixed" (fun () -> Obj.repr (mixed n))

(* What becomes of them: by size, so that the order of death does not matter. *)
let () =
  let count = Hashtbl.create 10 in
  let add what size = let k = (what, size) in Hashtbl.replace count k (1 + Option.value ~default:0 (Hashtbl.find_opt count k)) in
  let tracker : (int, int) M.tracker = {
    alloc_minor = (fun a -> add "born" a.size; Some a.size); alloc_major = (fun _ -> None);
    promote = (fun s -> add "promoted" s; Some s); dealloc_minor = (fun s -> add "died young" s);
    dealloc_major = (fun s -> add "died" s) } in
  let kept = Array.make 100 None in
  let p = M.start ~sampling_rate:1. tracker in
  for i = 0 to 99 do
    let a = pairs i i in
    if i land 1 = 0 then kept.(i) <- Some (snd a)
  done;
  M.stop ();
  Gc.minor ();
  Array.fill kept 0 100 None;
  Gc.full_major (); Gc.full_major ();
  ignore (Sys.opaque_identity kept);
  M.discard p;
  List.iter (fun (what, size) -> Printf.printf "%s of %d words: %d\n" what size (Hashtbl.find count (what, size)))
    (List.filter (Hashtbl.mem count) [ "born", 2; "born", 3; "promoted", 3; "promoted", 2; "died young", 2; "died young", 3; "died", 3 ])

(* A callback that raises: no block of the group is made, nothing more is told of them. *)
exception Enough
let () =
  let told = ref 0 and after = ref 0 in
  let tracker : (unit, unit) M.tracker = {
    alloc_minor = (fun a -> incr told; if !told = 2 then raise Enough; Some ()); alloc_major = (fun _ -> None);
    promote = (fun () -> incr after; None); dealloc_minor = (fun () -> incr after); dealloc_major = (fun () -> incr after) } in
  let raised = match M.start ~sampling_rate:1. tracker with
    | p -> (match pairs !told 1 with _ -> false | exception Enough -> true) in
  M.stop ();
  Gc.full_major ();
  Printf.printf "raised %b, told %d, after %d\n" raised !told !after
