(* SPDX-License-Identifier: MIT *)
(* variants: none *)
(* Memory outside the heap: custom_major_ratio, custom_minor_ratio, custom_minor_max_size. *)
let make bytes = Bigarray.Array1.create Bigarray.char Bigarray.c_layout bytes
let heap = Array.init 200_000 (fun i -> ref i)

let with_control f body =
  let before = Gc.get () in
  Gc.set (f before);
  let result = body () in
  Gc.set before;
  result

(* Major and minor collections while so many bigarrays are made and dropped. *)
let collections count bytes =
  Gc.full_major ();
  let s = Gc.quick_stat () in
  for _ = 1 to count do ignore (Sys.opaque_identity (make bytes)) done;
  let t = Gc.quick_stat () in
  (t.Gc.major_collections - s.Gc.major_collections, t.Gc.minor_collections - s.Gc.minor_collections)

let () =
  let majors ratio =
    with_control (fun c -> { c with Gc.custom_major_ratio = ratio }) (fun () -> fst (collections 1000 300_000))
  in
  let low = majors 40 and high = majors 400 in
  Check.it (Printf.sprintf "custom_major_ratio 400 collects less than 40") (high < low);
  Check.between "by about ten times" (low / 20) (low / 5) high

let () =
  let minors ratio =
    with_control (fun c -> { c with Gc.custom_minor_ratio = ratio }) (fun () -> snd (collections 3000 10_000))
  in
  (* 30 MB, in a nursery of 2 MB. *)
  let at_100 = minors 100 and at_25 = minors 25 in
  Check.between "custom_minor_ratio 100: a minor collection for each 2 MB" 13 18 at_100;
  Check.between "25: for each half" 52 70 at_25

(* Whether a bigarray is born in the major heap. *)
let born_major bytes =
  let _, _, before = Gc.counters () in
  let b = make bytes in
  let _, _, after = Gc.counters () in
  ignore (Sys.opaque_identity b);
  after > before

let () =
  Check.it "70,000 bytes are young" (not (born_major 70_000));
  Check.it "70,001 are not" (born_major 70_001);
  with_control (fun c -> { c with Gc.custom_minor_max_size = 1000 }) (fun () ->
      Check.it "custom_minor_max_size 1000: 1000 bytes are young" (not (born_major 1000));
      Check.it "1001 are not" (born_major 1001));
  with_control (fun c -> { c with Gc.custom_minor_max_size = 0 }) (fun () ->
      Check.it "custom_minor_max_size 0: one byte is not" (born_major 1));
  ignore (Sys.opaque_identity heap)
