(* SPDX-License-Identifier: MIT *)
(* Seven ways in which programs use memory, for bench-pacing.

   usage: loads NAME [live]

   Each load calls [peak] where it holds the most. With "live" the live memory is measured there, in
   bytes, off-heap memory included, and printed as "live N"; without, nothing happens at these points and
   figures are printed at the end: "cycles N marked N allocated N peak N" (major cycles; words;
   words; kB that were resident at most). Everything is deterministic: random numbers are seeded. *)

let measuring = Array.length Sys.argv > 2 && Sys.argv.(2) = "live"
let most_live = ref 0

let peak off_heap_bytes =
  if measuring then begin
    Gc.full_major ();
    let live = (Gc.stat ()).Gc.live_words * (Sys.word_size / 8) + off_heap_bytes in
    if live > !most_live then most_live := live
  end

let rec list n = if n = 0 then [] else n :: list (n - 1)

(* 1,000 slots of lists; the oldest slots are filled again, in random order. *)
let steady () =
  let slots = Array.init 1000 (fun _ -> list 800) in
  peak 0;
  for _ = 1 to 20_000 do
    slots.(Random.int 1000) <- list 800
  done;
  ignore (Sys.opaque_identity slots)

module Ints = Map.Make (Int)

(* A map grows; each insertion leaves the old path behind. *)
let growing () =
  let map = ref Ints.empty in
  for i = 1 to 400_000 do
    map := Ints.add (i * 7919 land 0xfffff) (string_of_int i) !map
  done;
  peak 0;
  ignore (Sys.opaque_identity !map)

(* What was built is dropped bit by bit, while the program goes on allocating. *)
let shrinking () =
  let slots = Array.init 4000 (fun _ -> list 800) in
  peak 0;
  for i = 0 to 3999 do
    slots.(i) <- [];
    for j = 1 to 5 do
      if i + j < 4000 then slots.(i + j) <- list 800
    done
  done;
  ignore (Sys.opaque_identity slots)

(* Float arrays of 80 kB, dropped at once, beside 16 MB that stay. *)
let floats () =
  let kept = Array.init 200 (fun i -> Array.make 10_000 (float_of_int i)) in
  peak 0;
  let sum = ref 0. in
  for i = 1 to 60_000 do
    let a = Array.make 10_000 (float_of_int i) in
    sum := !sum +. a.(i land 8191)
  done;
  ignore (Sys.opaque_identity (kept, !sum))

(* Bigarrays of 256 kB: 64 are kept, in turn. *)
let bigarrays () =
  let make () = Bigarray.Array1.create Bigarray.char Bigarray.c_layout (256 * 1024) in
  let kept = Array.init 64 (fun _ -> make ()) in
  let small = Array.init 300 (fun _ -> list 800) in
  peak (64 * 256 * 1024);
  for i = 1 to 6_000 do
    let b = make () in
    Bigarray.Array1.fill b 'x';
    kept.(i land 63) <- b;
    small.(i mod 300) <- list 300
  done;
  ignore (Sys.opaque_identity (kept, small))

module Table = Ephemeron.K1.Make (struct
  type t = int ref
  let equal = ( == )
  let hash r = !r
end)

(* An ephemeron table whose keys are replaced in turn. *)
let ephemerons () =
  let keys = Array.init 40_000 ref in
  let table = Table.create 65536 in
  Array.iter (fun k -> Table.replace table k (list 10)) keys;
  peak 0;
  for i = 1 to 300_000 do
    let k = ref (i * 31) in
    keys.(i mod 40_000) <- k;
    Table.replace table k (list 10);
    (* Bindings of dead keys stay in the table until it grows. *)
    if i mod 10_000 = 0 then peak 0
  done;
  ignore (Sys.opaque_identity (keys, table))

(* The same value is read again and again; the last five results are kept. *)
let unmarshalling () =
  let data = Marshal.to_string (Array.init 300 (fun i -> (list 300, string_of_int i, float_of_int i))) [] in
  let kept = Array.make 5 [||] in
  let read () : (int list * string * float) array = Marshal.from_string data 0 in
  for i = 0 to 4 do kept.(i) <- read () done;
  (* Before the next takes the place of one of the five it is alive beside them. *)
  if measuring then begin
    let next = read () in
    peak 0;
    ignore (Sys.opaque_identity next)
  end;
  for i = 1 to 300 do
    kept.(i mod 5) <- read ()
  done;
  ignore (Sys.opaque_identity kept)

let loads =
  [ ("nothing", ignore); ("steady", steady); ("growing", growing); ("shrinking", shrinking); ("floats", floats);
    ("bigarrays", bigarrays); ("ephemerons", ephemerons); ("unmarshalling", unmarshalling) ]

let resident_peak () =
  let status = open_in "/proc/self/status" in
  let rec look () =
    match Scanf.sscanf_opt (input_line status) "VmHWM: %d" Fun.id with Some kb -> kb | None -> look ()
  in
  look ()

let () =
  Random.init 42;
  (match List.assoc_opt Sys.argv.(1) loads with
   | Some load -> load ()
   | None -> prerr_endline ("loads: unknown load " ^ Sys.argv.(1)); exit 2);
  if measuring then Printf.printf "live %d\n" !most_live
  else begin
    let s = Gc.quick_stat () in
    Printf.printf "cycles %d marked %d allocated %.0f peak %d\n" s.Gc.major_collections (Probe.marked_words ())
      s.Gc.major_words (resident_peak ())
  end
