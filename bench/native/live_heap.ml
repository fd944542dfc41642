(* SPDX-License-Identifier: MIT *)
(* A live heap of 500 MB, in which records are replaced at random: the work of the collector is nearly all marking and sweeping. *)
type entry = { key : int; mutable next : entry option; payload : int array }

let () =
  let slots = 2_500_000 in
  let payload i = Array.make (8 + (i land 7)) i in
  let entries = Array.init slots (fun i -> Probe.pass (); { key = i; next = None; payload = payload i }) in
  let seed = ref 42 in
  let random n =
    seed := (!seed * 1103515245 + 12345) land 0x3fffffff;
    (!seed lsr 4) mod n
  in
  let total = ref 0 in
  for i = 1 to Probe.scale 1_200_000 do
    Probe.pass ();
    let at = random slots in
    let old = entries.(at) in
    total := !total + old.payload.(0);
    entries.(at) <- { key = i; next = Some entries.(random slots); payload = payload i };
    (match entries.(at).next with Some e -> e.next <- None | None -> ())
  done;
  Probe.finish !total
