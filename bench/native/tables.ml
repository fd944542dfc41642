(* SPDX-License-Identifier: MIT *)
(* Hash tables: a large one of integers that grows, and many that come and go, with strings, pairs and lists in them. *)
let () =
  let total = ref 0 in
  for round = 1 to Probe.scale 3 do
    let large = Hashtbl.create 16 in
    for i = 1 to 500_000 do
      Probe.pass ();
      Hashtbl.replace large (i * 7919 land 0xfffff) (round, i);
      if i land 1 = 0 then Hashtbl.remove large (i * 31 land 0xfffff)
    done;
    total := !total + Hashtbl.length large;
    for i = 1 to 8_000 do
      let small = Hashtbl.create 8 in
      for j = 1 to 30 do
        Probe.pass ();
        Hashtbl.add small (string_of_int (i * j)) [ i; j ]
      done;
      Hashtbl.iter (fun _ l -> total := !total + List.hd l) small
    done
  done;
  Probe.finish !total
