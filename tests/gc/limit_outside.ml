(* SPDX-License-Identifier: MIT *)
(* FIELD M10. Memory outside the heap that is told when it goes, too, is a part of what Xlimit bounds: the data of bigarrays. *)
(* runparam: Xlimit=64M,s=32k *)
(* variants: none *)
open Bigarray

let megabyte = 1024 * 1024
let make n = Array1.create char c_layout n

let fill make =
  let held = ref [] in
  (try while true do held := make () :: !held done with Out_of_memory -> ());
  !held

(* How many of 1 MB may be had, with what is held meanwhile. *)
let most held =
  let n = List.length (fill (fun () -> Obj.repr (make megabyte))) in
  ignore (Sys.opaque_identity held);
  n

let () =
  Check.between "up to the limit" 56 68 (most ());
  for _ = 1 to 300 do ignore (Sys.opaque_identity (make megabyte)) done;
  Check.between "again, what was dropped does not count" 56 68 (most ());
  Check.raises "one that is too large" Out_of_memory (fun () -> make (80 * megabyte));
  Check.between "beside strings" 26 38 (most (List.init 30 (fun _ -> Bytes.create megabyte)));
  let held = List.init 30 (fun _ -> make megabyte) in
  let strings = List.length (fill (fun () -> Obj.repr (Bytes.create megabyte))) in
  ignore (Sys.opaque_identity held);
  Check.between "strings beside them" 23 38 strings

(* Data goes with the last of the arrays that show it. *)
let () =
  for _ = 1 to 200 do
    let a = make megabyte in
    let b = Array1.sub a 5 1000 in
    let c = reshape (genarray_of_array1 a) [| 1024; 1024 |] in
    ignore (Sys.opaque_identity (a, b, c))
  done;
  Check.between "parts do not count" 56 68 (most ());
  (let parts = List.init 30 (fun _ -> Array1.sub (make megabyte) 0 10) in
   Gc.full_major ();
   Check.between "the whole does while a part is there" 26 38 (most parts));
  Check.between "and no longer" 56 68 (most ())

let () =
  let s = Marshal.to_string (make (4 * megabyte)) [] in
  for _ = 1 to 100 do ignore (Sys.opaque_identity (Marshal.from_string s 0 : (char, int8_unsigned_elt, c_layout) Array1.t)) done;
  (let read = List.init 8 (fun _ -> (Marshal.from_string s 0 : (char, int8_unsigned_elt, c_layout) Array1.t)) in
   Check.between "those that were read count" 14 34 (most read));
  Check.between "until they are dropped" 48 64 (most s)

(* Small ones too; and a domain that made them ends. *)
let () =
  for _ = 1 to 100_000 do ignore (Sys.opaque_identity (make 8000)) done;
  Domain.join (Domain.spawn (fun () -> for _ = 1 to 20_000 do ignore (Sys.opaque_identity (make 8000)) done));
  Gc.full_major ();
  Check.between "nothing is left" 56 68 (most ());
  let n = List.length (fill (fun () -> Obj.repr (make 8000))) in
  Check.between "small ones up to the limit" 6000 9000 n
