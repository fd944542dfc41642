(* SPDX-License-Identifier: MIT *)
(* Domain-local state: defaults, inheritance, independence. *)
let k = Domain.DLS.new_key (fun () -> ref 0)
let inherited = Domain.DLS.new_key ~split_from_parent:(fun l -> "child" :: l) (fun () -> [ "root" ])
let () =
  incr (Domain.DLS.get k);
  let d = Domain.spawn (fun () -> let r = Domain.DLS.get k in r := !r + 10; Gc.full_major (); !(Domain.DLS.get k)) in
  Printf.printf "%d %d\n" (Domain.join d) !(Domain.DLS.get k);
  ignore (Domain.DLS.get inherited);
  let d = Domain.spawn (fun () -> let here = Domain.DLS.get inherited in let there = Domain.join (Domain.spawn (fun () -> Domain.DLS.get inherited)) in (here, there)) in
  let a, b = Domain.join d in
  print_endline (String.concat "," a); print_endline (String.concat "," b);
  Domain.DLS.set inherited [ "set" ]; print_endline (String.concat "," (Domain.DLS.get inherited));
  let keys = List.init 50 (fun i -> Domain.DLS.new_key (fun () -> i * i)) in
  Printf.printf "%d\n" (List.fold_left (fun s k -> s + Domain.DLS.get k) 0 keys);
  let f = Domain.spawn (fun () -> List.iteri (fun i k -> Domain.DLS.set k i) keys; List.fold_left (fun s k -> s + Domain.DLS.get k) 0 keys) in
  Printf.printf "%d %d\n" (Domain.join f) (List.fold_left (fun s k -> s + Domain.DLS.get k) 0 keys)
