(* SPDX-License-Identifier: MIT *)
(* FIELD M10 with several domains: whoever allocates is told, catches it, drops what it holds, and goes on; nobody
   is ended. *)
(* runparam: Xlimit=16M,s=16k,V=1 *)
(* variants: none *)

(* Holds more and more until it is told, then looks at what it holds; false: it is not whole. Told while it looks, it
   stops looking. *)
let small n =
  let held = ref [] and cells = ref 0 in
  (try while true do held := (n, !cells) :: !held; incr cells done with Out_of_memory -> ());
  let rec whole c = function [] -> c < 0 | (m, d) :: l -> m = n && d = c && whole (c - 1) l in
  whole (!cells - 1) !held

let large n =
  let held = ref [] in
  (try while true do held := Bytes.make 400_000 (Char.chr n) :: !held done with Out_of_memory -> ());
  List.for_all (fun b -> Bytes.get b 399_999 = Char.chr n) !held

let rec again f n rounds = rounds = 0 || (try f n with Out_of_memory -> true) && again f n (rounds - 1)

let () =
  let domains = List.map Domain.spawn [(fun () -> again small 1 3); (fun () -> again small 2 3); (fun () -> again large 3 3)] in
  List.iteri (fun i d -> Check.report (Printf.sprintf "domain %d was told, and went on" i) (Domain.join d) "it lost something") domains;
  Gc.full_major ();
  Check.between "the heap stayed below twice the limit" 14 32 ((Gc.quick_stat ()).Gc.top_heap_words * 8 / 1024 / 1024);
  Check.int "and there is room again" 1_000_000 (Array.length (Array.make 1_000_000 0))
