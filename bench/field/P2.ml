(* SPDX-License-Identifier: MIT *)
(* The longest slice: the longest pause of a program that allocates small blocks, after it has unmarshalled a graph of 100 MB, and
   while its table of large arrays grows (the growth itself is not counted). *)
open Figures

let slots = Array.make 5_000 []
let allocate n = for i = 1 to n do slots.(i mod 5_000) <- list 50; look () done

let phase name f =
  longest := 0.;
  f ();
  figure ("longest_pause_ms_" ^ name) (1e3 *. !longest)

let graph () =
  let data = Marshal.to_string (Array.init 10_000 (fun i -> (list 400, string_of_int i))) [ Marshal.No_sharing ] in
  let g : (int list * string) array = Marshal.from_string data 0 in
  restart ();
  allocate 100_000;
  keep g

let table () =
  let t = ref (Array.make 1024 []) in
  while Array.length !t < 4_000_000 do
    let n = Array.length !t in
    t := Array.append !t (Array.make n []);
    restart ();
    for i = n to (2 * n) - 1 do !t.(i) <- [ i ]; look () done
  done;
  keep !t

let () =
  phase "unmarshalled" graph;
  phase "table" table
