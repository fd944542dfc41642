(* SPDX-License-Identifier: MIT *)
(* Compaction under stress: four domains allocate, spawn others and compact at random 120 times. It ends, or it does not; compactions asked for at the same time may be one. *)
open Figures

let work seed =
  let rng = Random.State.make [| seed |] in
  let slots = Array.make 300 [||] in
  for i = 1 to 900 do
    slots.(Random.State.int rng 300) <- Array.init (1 + Random.State.int rng 400) (fun j -> ref (i + j));
    if i mod 30 = 0 then Gc.compact ();
    if i mod 150 = 0 then Domain.join (Domain.spawn (fun () -> keep (list 5_000)))
  done;
  Array.iter (fun a -> Array.iteri (fun j r -> if !r < j then exit 1) a) slots

let () =
  let domains = List.init 3 (fun i -> Domain.spawn (fun () -> work i)) in
  work 3;
  List.iter Domain.join domains;
  count "compactions" (quick ()).compactions
