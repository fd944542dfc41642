(* SPDX-License-Identifier: MIT *)
(* FIELD M4, M5. Memory that the program drops goes back to the system, small blocks and large ones, and the number of
   mappings stays small. Linux: /proc. *)
(* runparam: V=1 *)
(* variants: none *)
let megabyte = 1024 * 1024

let words_of file =
  let ic = open_in file in
  let line = input_line ic in
  close_in ic;
  String.split_on_char ' ' line |> List.map int_of_string

(* Resident megabytes. *)
let resident () = List.nth (words_of "/proc/self/statm") 1 * 4096 / megabyte

let mappings () =
  let ic = open_in "/proc/self/maps" in
  let n = ref 0 in
  (try while true do ignore (input_line ic); incr n done with End_of_file -> close_in ic);
  !n

let kept = ref []

(* About 80 MB of blocks, of which one in [every] is kept. *)
let scattered make size every =
  for i = 1 to 80 * megabyte / size do
    let v = make () in
    if i mod every = 0 then kept := v :: !kept
  done

let () =
  ignore (words_of "/proc/self/statm");
  let base = resident () and maps = mappings () in
  (* A sanitizer keeps memory of its own. *)
  let sanitized = match Sys.getenv_opt "MODE" with Some ("asan" | "tsan") -> true | _ -> false in
  let went_back name = if not sanitized then Check.between name 0 (base + 35) (resident ()) in
  (* All dropped: a full major is enough. What the next cycle is likely to take stays: at most what was allocated since the last one. *)
  let all = ref (List.init 2000 (fun _ -> Array.make 5000 0)) in
  Check.report "80 MB are there" (resident () - base >= 75) "they are not";
  all := [];
  Gc.full_major ();
  went_back "large blocks go back after a full major";
  let all = ref (List.init 1_000_000 (fun i -> [| i; i; i |])) in
  ignore (Sys.opaque_identity !all);
  all := [];
  Gc.full_major ();
  went_back "small blocks go back after a full major";
  (* Sparse ones are left: a compaction brings the small ones together. *)
  scattered (fun () -> Obj.repr (Array.make 31 0)) 256 100;
  Gc.compact ();
  went_back "sparse small blocks after a compaction";
  kept := [];
  scattered (fun () -> Obj.repr (Bytes.create 100_000)) 100_000 20;
  Gc.full_major ();
  went_back "sparse large blocks after a full major";
  kept := [];
  (* Holes everywhere. *)
  for round = 1 to 5 do
    scattered (fun () -> Obj.repr (Bytes.create (33_000 + 30_000 * round))) (33_000 + 30_000 * round) 7;
    scattered (fun () -> Obj.repr (Array.make (20 * round) 0)) (168 * round) 13;
    if round mod 2 = 0 then kept := List.filteri (fun i _ -> i mod 3 = 0) !kept;
    Gc.full_major ()
  done;
  let few name = if not sanitized then Check.between name 0 (maps + 30) (mappings ()) in
  few "mappings after scattered frees";
  Gc.compact ();
  few "mappings after a compaction";
  kept := [];
  Gc.compact ();
  went_back "all after a compaction"
