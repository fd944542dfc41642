(* SPDX-License-Identifier: MIT *)
(* Deep stacks that stay below the limit, with collections while they are deep. *)
let rec depth n = if n = 0 then (Gc.full_major (); 0) else 1 + depth (n - 1)
let rec alloc n = if n = 0 then [] else let s = string_of_int n in let r = alloc (n - 1) in s :: r
let rec handlers n = if n = 0 then 0 else try 1 + handlers (n - 1) with Not_found -> -1
let rec tree n = if n = 0 then `L else `N (tree (n - 1), tree (n - 1))
let rec size = function `L -> 1 | `N (a, b) -> 1 + size a + size b
let () =
  Printf.printf "%d\n" (depth 500_000); Printf.printf "%d\n" (List.length (alloc 300_000)); Printf.printf "%d\n" (handlers 100_000);
  Printf.printf "%d\n" (size (tree 14)); Printf.printf "%d\n" (List.length (List.fold_right (fun x l -> x :: l) (List.init 300_000 Fun.id) []));
  Gc.compact (); Printf.printf "%d\n" (depth 1000);
  let d = Domain.spawn (fun () -> depth 200_000) in
  Printf.printf "%d %d\n" (depth 200_000) (Domain.join d)
