(* SPDX-License-Identifier: MIT *)
(* Weak hash sets: hash-consing under collections that come at any moment. *)
type node = { id : int; left : node option; right : node option }
module H = Weak.Make (struct
    type t = node
    let equal a b = a.id = b.id && a.left == b.left && a.right == b.right
    let hash a = Hashtbl.hash a.id
  end)
let set = H.create 100
let none : node option = None
let cons id = H.merge set { id; left = none; right = none }

let () =
  let kept = Array.init 1000 cons in
  for i = 1000 to 20_000 do ignore (Sys.opaque_identity (cons i)) done;
  Gc.full_major ();
  Check.int "what is held is counted, nothing else" 1000 (H.count set);
  Check.it "merge finds what is held" (Array.for_all (fun n -> cons n.id == n) kept);
  Check.it "mem, find, find_opt, find_all" (Array.for_all (fun n ->
      let probe = { id = n.id; left = none; right = none } in
      H.mem set probe && H.find set probe == n && H.find_opt set probe = Some n && List.for_all (( == ) n) (H.find_all set probe)) kept);
  H.remove set kept.(0);
  Check.it "remove" (not (H.mem set kept.(0)));
  H.add set kept.(0); H.add set kept.(0);
  Check.int "add twice" 2 (List.length (H.find_all set kept.(0)));
  Check.int "fold" 1001 (H.fold (fun _ n -> n + 1) set 0);
  (* Each node is unique while anybody holds it, whatever the collector does meanwhile. *)
  let ok = ref true in
  for round = 1 to 200 do
    let a = cons (round * 7919) in
    for i = 1 to 50 do ignore (Sys.opaque_identity (cons (round * 100_000 + i))) done;
    if round mod 10 = 0 then ignore (Gc.major_slice 5000);
    if cons (round * 7919) != a then ok := false
  done;
  Check.it "unique while held" !ok;
  let lengths, entries, _, _, _, _ = H.stats set in
  Check.it "stats" (lengths > 0 && entries >= 1001);
  H.clear set;
  Check.int "clear" 0 (H.count set);
  ignore (Sys.opaque_identity kept)
