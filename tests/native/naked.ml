(* with: naked_stubs.c *)
(* checks: itself *)
(* SPDX-License-Identifier: MIT *)
(* C pointers in place of values, wherever the collector looks: they stay as they are, and what they point to is not read. tests/abi
   runs this as bytecode. *)
external make : int -> Obj.t = "naked_make"
external kinds : unit -> int = "naked_kinds"
external bits : Obj.t -> int = "naked_bits"

let rounds = 3_000
let samples = Array.init (kinds ()) (fun kind -> let p = make kind in (p, bits p))
let sample i = samples.(i mod Array.length samples)
let intact (p, n) = bits p = n
let check name holds = Printf.printf "%s %s\n" (if holds then "ok" else "not ok") name

let churn i =
  ignore (Sys.opaque_identity (Array.init 30 (fun j -> ref (i + j))));
  if i mod (rounds / 3) = 0 then Gc.compact ()

(* Young and old blocks, overwritten while marking; large blocks; copies. *)
let in_blocks () =
  let kept = Array.init 1000 (fun i -> ref (fst (sample i))) and large = Array.make 5000 (fst (sample 0)) in
  for i = 1 to rounds do
    let p = fst (sample i) in
    kept.(i mod 1000) := p;
    large.(i mod 5000) <- p;
    if i mod 100 = 0 then Array.blit large 0 large 1000 1000;
    churn i
  done;
  let known p = Array.exists (fun (q, _) -> p == q) samples in
  check "blocks" (Array.for_all (fun r -> known !r) kept && Array.for_all known large && Array.for_all intact samples)

(* Stacks: of deep calls, of a handler's fiber, of another domain. *)
type _ Effect.t += Pause : unit Effect.t

let rec deep i n =
  let p, bits_of_p = sample i in
  if n = 0 then Gc.full_major () else begin churn 1; deep (i + 1) (n - 1) end;
  if bits p <> bits_of_p then failwith "changed"

let on_stacks () =
  deep 0 500;
  let paused = ref None in
  Effect.Deep.try_with (fun () -> let p, n = sample 3 in Effect.perform Pause; if bits p <> n then failwith "changed") ()
    { effc = fun (type a) (e : a Effect.t) -> match e with
        | Pause -> Some (fun (k : (a, unit) Effect.Deep.continuation) -> paused := Some (fun () -> Effect.Deep.continue k ()))
        | _ -> None };
  Gc.compact ();
  Option.iter (fun resume -> resume ()) !paused;
  Domain.join (Domain.spawn (fun () -> deep 0 200));
  check "stacks" true

(* Ephemerons, weak arrays, finalisers, closures, lazy values, named roots. *)
let elsewhere () =
  let weak = Weak.create 100 in
  let keys = Array.init 100 (fun i -> ref i) in
  let ephemerons = Array.mapi (fun i key -> Ephemeron.K1.make key (fst (sample i))) keys in
  let finalised = ref 0 in
  let closures = Array.init 100 (fun i -> let p = fst (sample i) in Gc.finalise (fun _ -> incr finalised) (ref p); fun () -> p) in
  for i = 0 to rounds - 1 do
    if i mod 10 = 0 then Weak.set weak (i / 10 mod 100) (Some (ref (fst (sample i))));
    churn (i + 1)
  done;
  Gc.full_major ();
  check "ephemerons"
    (Array.for_all Fun.id (Array.mapi (fun i e -> match Ephemeron.K1.query e keys.(i) with Some p -> p == fst (sample i) | None -> false) ephemerons));
  check "closures" (Array.for_all Fun.id (Array.mapi (fun i f -> f () == fst (sample i)) closures));
  check "finalisers" (!finalised = 100)

let () =
  in_blocks ();
  on_stacks ();
  elsewhere ()
