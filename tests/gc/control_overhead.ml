(* SPDX-License-Identifier: MIT *)
(* A change of space_overhead holds at once: a program that builds its data with the collector all but switched off, and then wants
   it back, is not left with the budget that the last cycle allowed. *)
(* variants: none *)
let set o = Gc.set { (Gc.get ()) with Gc.space_overhead = o }
let cycles () = (Gc.quick_stat ()).Gc.major_collections

(* 3 million words that all survive their minor collection and die later. *)
let churn () =
  let q = Queue.create () in
  for i = 1 to 600_000 do
    Queue.add (ref i) q;
    if Queue.length q > 100_000 then ignore (Queue.take q)
  done

let () =
  set 1_000_000;
  let live = List.init 30_000 (fun i -> ref i) in
  Gc.full_major ();
  let before = cycles () in
  churn ();
  Check.int "with an overhead of a million there is no cycle" before (cycles ());
  set 80;
  churn ();
  Check.between "back at 80 there are cycles" 3 60 (cycles () - before);
  Gc.full_major ();
  set 1_000_000;
  let before = cycles () in
  churn ();
  Check.int "and with a million again none" before (cycles ());
  ignore (Sys.opaque_identity live)
