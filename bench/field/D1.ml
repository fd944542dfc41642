(* SPDX-License-Identifier: MIT *)
(* More domains than cores: the same work shared among 1, 2, 4, 8 and 16 domains by a counter of tasks; wall time to that of the best count. Pure
   allocation, rows of a product of matrices, words counted in tables, queens on a board, values marshalled and read back. *)
open Figures

let next = Atomic.make 0

let rec work tasks task =
  let i = Atomic.fetch_and_add next 1 in
  if i < tasks then begin
    task i;
    work tasks task
  end

let shared tasks task domains =
  Atomic.set next 0;
  wall (fun () ->
      let others = List.init (domains - 1) (fun _ -> Domain.spawn (fun () -> work tasks task)) in
      work tasks task;
      List.iter Domain.join others)

let allocation _ = for _ = 1 to 400 do keep (list 100) done

let size = 200
let a = Array.init size (fun i -> Array.init size (fun j -> float_of_int (i * j mod 17)))

let row i =
  keep (Array.init size (fun j ->
      let s = ref 0. in
      for k = 0 to size - 1 do s := !s +. (a.(i).(k) *. a.(k).(j)) done;
      !s))

let words i =
  let t = Hashtbl.create 16 in
  for j = 1 to 4000 do
    let w = string_of_int (i * j mod 1009) in
    Hashtbl.replace t w (1 + Option.value ~default:0 (Hashtbl.find_opt t w))
  done;
  keep t

(* The boards that begin with queens in two given columns of the first rows. *)
let queens i =
  let n = 8 in
  let safe c others = List.for_all Fun.id (List.mapi (fun d o -> o <> c && abs (o - c) <> d + 1) others) in
  let rec boards others k =
    if k = n then 1
    else List.fold_left (fun sum c -> if safe c others then sum + boards (c :: others) (k + 1) else sum) 0 (List.init n Fun.id)
  in
  let first = i mod n and second = i / n mod n in
  if safe second [ first ] then keep (boards [ second; first ] 2)

let marshal i =
  let v = List.init 2000 (fun j -> (j, float_of_int (i + j))) in
  keep (Marshal.from_string (Marshal.to_string v []) 0 : (int * float) list)

let series name tasks task =
  let times = List.map (fun n -> (n, shared tasks task n)) [ 1; 2; 4; 8; 16 ] in
  let best = List.fold_left (fun best (_, t) -> min best t) infinity times in
  List.iter (fun (n, t) -> if n > 2 then figure (Printf.sprintf "%s_%d_domains" name n) (t /. best)) times

let () =
  let scale = if Sys.backend_type = Sys.Native then 5 else 1 in
  series "allocation" (200 * scale) allocation;
  series "matrices" (size * (if scale = 1 then 1 else 4 * scale)) (fun i -> row (i mod size));
  series "words" (100 * scale) words;
  series "queens" (64 * scale) queens;
  series "marshal" (200 * scale) marshal
