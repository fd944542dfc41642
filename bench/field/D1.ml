(* SPDX-License-Identifier: MIT *)
(* More domains than cores: the same work shared among 1, 2, 4, 8 and 16 domains. Seven kinds: short-lived lists, rows of a product of matrices, words
   counted in tables, queens on a board, values marshalled and read back, trees that survive, a relaxation whose steps end at a barrier. A kind's work
   is so much that one domain takes 1.5 seconds; the counts take turns, in eight rounds. Of each count the least wall time, of the best
   count's; then 16 domains' processor time, of the least; then their minor collections, of two domains'. Arguments choose among the kinds. *)
open Figures

let counts = [ 1; 2; 4; 8; 16 ]
let rounds = 8
let seconds = 1.5

(* ---- Kinds: each does [steps] of its work on so many domains ---- *)

let on domains work =
  let others = List.init (domains - 1) (fun i -> Domain.spawn (fun () -> work (i + 1))) in
  work 0;
  List.iter Domain.join others

let next = Atomic.make 0

(* By a counter of tasks. *)
let shared task steps domains =
  Atomic.set next 0;
  let rec work _ =
    let i = Atomic.fetch_and_add next 1 in
    if i < steps then begin
      task i;
      work i
    end
  in
  on domains work

let allocation _ = for _ = 1 to 100 do keep (list 100) done

let size = 200
let a = Array.init size (fun i -> Array.init size (fun j -> float_of_int (i * j mod 17)))

let row i =
  let i = i mod size in
  keep (Array.init size (fun j ->
      let s = ref 0. in
      for k = 0 to size - 1 do s := !s +. (a.(i).(k) *. a.(k).(j)) done;
      !s))

let words i =
  let t = Hashtbl.create 16 in
  for j = 1 to 1000 do
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
  let v = List.init 500 (fun j -> (j, float_of_int (i + j))) in
  keep (Marshal.from_string (Marshal.to_string v []) 0 : (int * float) list)

(* One tree in each of 64 places, the next in its stead. *)
type tree = Leaf | Node of tree * int * tree

let forest = Array.make 64 Leaf

let trees i =
  let rec grow depth = if depth = 0 then Leaf else Node (grow (depth - 1), i + depth, grow (depth - 1)) in
  forest.(i mod 64) <- grow 11

(* Each domain has its part of a row; no step begins before the last has ended everywhere. *)
let barrier n =
  let mutex = Mutex.create () and condition = Condition.create () and here = ref 0 and turn = ref 0 in
  fun () ->
    Mutex.lock mutex;
    let mine = !turn in
    incr here;
    if !here = n then begin
      here := 0;
      incr turn;
      Condition.broadcast condition
    end
    else while !turn = mine do Condition.wait condition mutex done;
    Mutex.unlock mutex

let relaxation steps domains =
  let length = 4000 in
  let old = ref (Array.init length string_of_int) and fresh = ref (Array.make length "") in
  let wait = barrier domains in
  on domains (fun d ->
      for _ = 1 to steps do
        let from = !old and into = !fresh in
        for i = d * length / domains to ((d + 1) * length / domains) - 1 do
          into.(i) <- string_of_int (String.length from.(i) + String.length from.((i + 1) mod length) + i)
        done;
        wait ();
        if d = 0 then begin old := into; fresh := from end;
        wait ()
      done)

let kinds =
  [ "allocation", shared allocation; "matrices", shared row; "words", shared words; "queens", shared queens; "marshal", shared marshal;
    "trees", shared trees; "relaxation", relaxation ]

(* ---- Measuring ---- *)

type run = { wall : float; processor : float; minors : float }

let measure work steps domains =
  Gc.full_major ();
  let minors = (quick ()).minor_collections in
  let wall_time = ref 0. in
  let processor = processor (fun () -> wall_time := wall (fun () -> work steps domains)) in
  { wall = !wall_time; processor; minors = float_of_int ((quick ()).minor_collections - minors) }

let rec steps_for work steps =
  let one = (measure work steps 1).wall in
  if one < seconds /. 8. then steps_for work (2 * steps) else int_of_float (float_of_int steps *. seconds /. one)

let series (name, work) =
  let steps = steps_for work 1 in
  let turns = List.init rounds (fun _ -> List.map (fun n -> (n, measure work steps n)) counts) in
  let least f n = List.fold_left (fun x turn -> min x (f (List.assoc n turn))) infinity turns in
  let best f = List.fold_left (fun x n -> min x (least f n)) infinity counts in
  let wall r = r.wall and processor r = r.processor and minors r = r.minors in
  List.iter (fun n -> figure (Printf.sprintf "%s_%d_domains" name n) (least wall n /. best wall)) [ 4; 8; 16 ];
  figure (name ^ "_16_processor") (least processor 16 /. best processor);
  figure (name ^ "_16_minors") (least minors 16 /. max 1. (least minors 2));
  figure (name ^ "_best_s") (best wall /. float_of_int steps *. 1e6)

let () =
  let chosen = List.tl (Array.to_list Sys.argv) in
  List.iter (fun (name, work) -> if chosen = [] || List.mem name chosen then series (name, work)) kinds
