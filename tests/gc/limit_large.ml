(* SPDX-License-Identifier: MIT *)
(* FIELD M10. Large blocks and Xlimit: each refusal is Out_of_memory, nothing is held above the limit and its
   reserve, garbage is never in the way. *)
(* runparam: Xlimit=32M,s=32k,V=1 *)
(* variants: none *)
let megabyte = 1024 * 1024
let heap () = (Gc.quick_stat ()).Gc.top_heap_words * 8 / megabyte

let fill make =
  let held = ref [] in
  (try while true do held := make () :: !held done with Out_of_memory -> ());
  !held

let () =
  let kinds = [
    "strings", (fun () -> Obj.repr (Bytes.create megabyte));
    "arrays", (fun () -> Obj.repr (Array.make (megabyte / 8) 0));
    "arrays of young blocks", (fun () -> Obj.repr (Array.make (megabyte / 8) (ref 0)));
    "float arrays", (fun () -> Obj.repr (Array.make (megabyte / 8) 0.5));
    "copies", (let a = Array.make (megabyte / 8) 0 in fun () -> Obj.repr (Array.append a [||]));
    "duplicates", (let a = Obj.repr (Array.make (megabyte / 8) 0) in fun () -> Obj.dup a);
    "unmarshalled", (let s = Marshal.to_string (Array.make (megabyte / 8) 0) [] in fun () -> Obj.repr (Marshal.from_string s 0)) ] in
  List.iter (fun (name, make) ->
    let n = List.length (fill make) in
    Check.between (name ^ " up to the limit") 23 33 n;
    (* Dropped blocks make room without being asked. *)
    let dropped = ref 0 in
    for _ = 1 to 100 do ignore (Sys.opaque_identity (make ())); incr dropped done;
    Check.int (name ^ " that are dropped") 100 !dropped) kinds;
  Check.between "the heap's top is the limit and its reserve" 30 34 (heap ());
  (* Who never has enough stays below the limit and its reserve for ever. *)
  let held = ref [] in
  for _ = 1 to 50 do try held := Bytes.create megabyte :: !held with Out_of_memory -> () done;
  Check.between "refused again and again" 23 33 (List.length !held);
  Check.between "the heap's top is still the same" 30 34 (heap ());
  held := [];
  Gc.compact ();
  Check.between "all is gone after a compaction" 0 6 ((Gc.quick_stat ()).Gc.heap_words * 8 / megabyte)
