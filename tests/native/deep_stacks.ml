(* SPDX-License-Identifier: MIT *)
(* with: deep_stacks_stubs.c *)
(* runparam: l=1M *)
(* Minor collections beside deep stacks: whatever leaves the deep frames, and however, they are scanned when they must be. *)
external apply : ('a -> 'b) -> 'a -> 'b = "deep_apply"
let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
let garbage n = ignore (Sys.opaque_identity (List.init n string_of_int))

(* Each frame holds a block of its own, and makes another on the way back. *)
let rec build n = if n = 0 then [] else let s = string_of_int n in let rest = build (n - 1) in (s ^ "") :: rest
let sound n l = List.length l = n && List.for_all2 (fun s i -> s = string_of_int i) l (List.init n (fun i -> n - i))
let () = check "down and up" (List.for_all (fun n -> sound n (build n)) [ 10; 3000; 60_000 ])

(* Up and down again, so that frames come and go at every depth. *)
let rec swing n seed =
  if n = 0 then [ "end" ]
  else begin
    let s = string_of_int seed in
    if seed mod 7 = 0 then ignore (Sys.opaque_identity (build (seed mod 900)));
    let rest = swing (n - 1) ((seed * 1103515245 + 12345) land 0xfffff) in
    if seed mod 5 = 0 then garbage 20;
    if int_of_string s <> seed then raise Exit;
    s :: rest
  end
let () = check "swinging" (List.length (swing 20_000 1) = 20_001)

(* Exceptions that leave many frames at once, to handlers that hold blocks; then deep again from there. *)
exception Up of string list
let rec fall n kept = if n = 0 then raise (Up (List.map (fun s -> s ^ "") kept)) else let r = fall (n - 1) kept in "" :: r
let rec ledge n =
  if n = 0 then []
  else begin
    let mine = [ string_of_int n; "ledge" ] in
    let caught = try fall (n * 37 mod 4000) mine with Up l -> garbage 50; l in
    let rest = ledge (n - 1) in
    if caught <> mine then raise Exit;
    List.hd mine :: rest
  end
let () = check "exceptions" (List.length (ledge 400) = 400)
let rec handlers n = if n = 0 then (garbage 5000; raise Not_found) else let s = string_of_int n in try handlers (n - 1) with Exit -> int_of_string s
let () = check "an exception past all" (match handlers 20_000 with exception Not_found -> true | _ -> false)

(* C code and its callbacks between deep frames; an exception that passes it. *)
let rec through_c n = if n = 0 then build 2000 else let s = string_of_int n in let r = apply (fun k -> if k mod 50 = 0 then ignore (build 1500); through_c (k - 1)) n in s :: r
let () = check "callbacks" (List.length (through_c 300) = 2300)
let rec raise_through_c n = if n = 0 then fall 3000 [ "x" ] else apply raise_through_c (n - 1)
let () = check "an exception past callbacks" (match raise_through_c 100 with exception Up [ "x" ] -> sound 3000 (build 3000) | _ -> false)

(* Fibers above a deep stack, and deep fibers. *)
type _ Effect.t += Ask : string -> string Effect.t
let rec deep_then n f = if n = 0 then f () else let s = string_of_int n in let r = deep_then (n - 1) f in if s = "" then "" else r
let answered f = match f () with v -> v | effect Ask s, k -> garbage 3000; Effect.Deep.continue k (deep_then 2500 (fun () -> s ^ "!"))
let () =
  check "fibers" (deep_then 5000 (fun () ->
    answered (fun () -> let a = Effect.perform (Ask "a") in let b = deep_then 3000 (fun () -> garbage 1000; Effect.perform (Ask a)) in a ^ b)) = "a!a!!");
  let rec waves n = if n = 0 then "" else deep_then (n * 100) (fun () -> answered (fun () -> Effect.perform (Ask (waves (n - 1))))) in
  check "fibers at all depths" (waves 30 = String.make 30 '!')

(* Return addresses are what backtraces are made of. *)
let rec depth n = if n = 0 then (garbage 3000; Gc.minor (); Printexc.raw_backtrace_length (Printexc.get_callstack max_int)) else let s = ref n in let r = depth (n - 1) in r + !s - n
let () = Printf.printf "%d %d\n" (depth 10) (depth 5000)
let rec traced n = if n = 0 then (garbage 3000; Gc.minor (); raise Exit) else let s = ref n in let r = traced (n - 1) in r + !s
let () =
  Printexc.record_backtrace true;
  (try ignore (traced 1020) with Exit -> print_endline (Digest.to_hex (Digest.string (Printexc.get_backtrace ()))));
  Printexc.record_backtrace false

(* Collections of all kinds at depth. *)
let rec collect n = if n = 0 then (Gc.full_major (); Gc.compact (); garbage 1000) else let s = string_of_int n in collect (n - 1); if n mod 997 = 0 then Gc.minor (); if int_of_string s <> n then raise Exit
let () = collect 10_000; check "collections" true

(* Results in floating-point registers, or none. *)
let rec sum n = if n = 0 then 0. else let x = float_of_int n in let r = sum (n - 1) in garbage 1; r +. x
let () = check "floats" (sum 4000 = 8_002_000.)

(* Several domains, each with a deep stack. *)
let () =
  let domains = List.init 3 (fun i -> Domain.spawn (fun () -> sound 4000 (build 4000) && List.length (swing 3000 (i + 1)) = 3001)) in
  check "here" (sound 8000 (build 8000));
  check "domains" (List.for_all Domain.join domains)

(* The stack ends. *)
let rec endless n = let s = string_of_int n in let r = endless (n + 1) in s :: r
let () =
  check "overflow" (match endless 0 with exception Stack_overflow -> true | _ -> false);
  check "and again" (sound 50_000 (build 50_000))
