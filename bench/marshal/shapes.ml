(* SPDX-License-Identifier: MIT *)
(* Values of one shape are written and read again and again: shapes SHAPE SCALE [OPERATION]. Prints for each operation its name,
   processor time in user mode and in all, and the time that went by; and at the end what the messages were, by which the runs are compared.
   With OPERATION the others are done once, for what it needs. *)
type record = { name : string; weight : float; count : int; tags : string list; left : record option; right : record option }
type node = { mutable next : node array; id : int }

let random = ref 1

(* The same numbers everywhere. *)
let below n =
  random := ((!random * 0x5deece66d) + 11) land 0xffff_ffff_ffff;
  (!random lsr 16) mod n

let word () = String.init (3 + below 12) (fun _ -> Char.chr (97 + below 26))

let rec tree depth =
  if depth = 0 then None
  else
    Some { name = word (); weight = float_of_int (below 1000); count = below 100_000; tags = List.init (below 3) (fun _ -> word ());
           left = tree (depth - 1); right = tree (depth - 1) }

let table size =
  let t = Hashtbl.create 16 in
  for i = 1 to size do Hashtbl.replace t (word ()) (i, [ below 50 ]) done;
  t

(* Each node has ten edges to any other. *)
let graph size =
  let nodes = Array.init size (fun id -> { next = [||]; id }) in
  Array.iter (fun n -> n.next <- Array.init 10 (fun _ -> nodes.(below size))) nodes;
  nodes

(* What to write, and how often. *)
let shape name : Obj.t list * int =
  match name with
  | "ints" -> ([ Obj.repr (List.init 200_000 (fun _ -> below (1 lsl (1 + below 40)))) ], 20)
  | "strings" -> ([ Obj.repr (Array.init 100_000 (fun _ -> word ())) ], 20)
  | "records" -> ([ Obj.repr (tree 15) ], 15)
  | "floats" -> ([ Obj.repr (Array.init 1_000_000 float_of_int, List.init 50_000 float_of_int) ], 25)
  | "shared" -> ([ Obj.repr (graph 20_000) ], 25)
  | "hashtable" -> ([ Obj.repr (table 40_000) ], 15)
  | "boxed" -> ([ Obj.repr (List.init 50_000 (fun i -> (Int64.of_int (below 1_000_000), Int32.of_int i))) ], 15)
  | "messages" -> (List.init 1000 (fun i -> Obj.repr (i, word (), [ below 100; below 100_000 ], Some (word ()))), 250)
  | "tiny" -> (List.init 1000 (fun i -> Obj.repr (i, below 300)), 300)
  | "large" -> ([ Obj.repr (Array.init 700 (fun i -> (i, table 1500, Array.init 8000 float_of_int, List.init 3000 (fun _ -> below 100_000)))) ], 2)
  | _ -> failwith ("no shape " ^ name)

let only = if Array.length Sys.argv > 3 then Some Sys.argv.(3) else None

let measured name rounds f =
  let repeat f = for _ = 1 to if only = None || only = Some name then rounds else 1 do f () done in
  Gc.full_major ();
  let a = Unix.times () and began = Unix.gettimeofday () in
  repeat f;
  let b = Unix.times () and ended = Unix.gettimeofday () in
  let user = b.Unix.tms_utime -. a.Unix.tms_utime in
  Printf.printf "%s %.4f %.4f %.4f\n%!" name user (user +. b.Unix.tms_stime -. a.Unix.tms_stime) (ended -. began)

let kept = ref (Obj.repr 0)
let keep v = kept := Sys.opaque_identity v

let () =
  let values, rounds = shape Sys.argv.(1) in
  let number = List.length values in
  let rounds = max 1 (int_of_float (float_of_int rounds *. float_of_string Sys.argv.(2))) in
  let file = Filename.temp_file "shapes" ".bin" in
  let messages = ref [] in
  let values = ref values in
  measured "to_string" rounds (fun () -> messages := List.map (fun v -> Marshal.to_string v []) !values);
  measured "to_channel" rounds (fun () -> Out_channel.with_open_bin file (fun oc -> List.iter (fun v -> Marshal.to_channel oc v []) !values));
  values := [];
  measured "from_string" rounds (fun () -> List.iter (fun s -> keep (Marshal.from_string s 0)) !messages);
  measured "from_channel" rounds (fun () -> In_channel.with_open_bin file (fun ic -> for _ = 1 to number do keep (Marshal.from_channel ic) done));
  Sys.remove file;
  Printf.printf "result %d %s\n" (List.fold_left (fun n s -> n + String.length s) 0 !messages) (Digest.to_hex (Digest.string (String.concat "" !messages)))
