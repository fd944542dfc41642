(* SPDX-License-Identifier: MIT *)
(* What an allocation callback is told at rate 1: every block of every kind, once, with its size without
 * the header, one sample for each word and the header, its source and its heap. *)
module M = Gc.Memprof

type seen = { major : bool; size : int; samples : int; source : M.allocation_source }

(* The blocks that f allocates, oldest first. *)
let profile f =
  let seen = ref [] in
  let note major (a : M.allocation) =
    seen := { major; size = a.size; samples = a.n_samples; source = a.source } :: !seen;
    None
  in
  let p = M.start ~sampling_rate:1. ~callstack_size:0
            { M.null_tracker with alloc_minor = note false; alloc_major = note true } in
  let result = f () in
  M.stop ();
  M.discard p;
  ignore (Sys.opaque_identity result);
  List.rev !seen

let show s =
  Printf.sprintf "%s %d words %d samples %s" (if s.major then "major" else "minor") s.size s.samples
    (match s.source with M.Normal -> "normal" | M.Marshal -> "marshal" | M.Custom -> "custom")

let kind name ?(source = M.Normal) ?(header = 1) ~major size make =
  let want = { major; size; samples = size + header; source } in
  let got = List.filter (fun s -> s.source = source && s.size = size) (profile make) in
  Check.equal name (fun l -> "[" ^ String.concat "; " (List.map show l) ^ "]") [ want ] got

let normal name ~major size make = kind name ~major size (fun () -> Obj.repr (make ()))

type floats = { a : float; b : float; c : float; d : float }

let opaque = Sys.opaque_identity

let () =
  let n = opaque 7 in
  normal "a tuple" ~major:false 5 (fun () -> (n, n, n, n, n));
  normal "a reference" ~major:false 1 (fun () -> ref n);
  normal "a closure" ~major:false 6 (let b = opaque 1 and c = opaque 2 and d = opaque 3 in fun () -> fun x -> (x, n, b, c, d));
  normal "a float" ~major:false 1 (fun () -> float_of_int n);
  normal "a float record" ~major:false 4 (let x = opaque 1.5 in fun () -> { a = x; b = x; c = x; d = x });
  normal "an array" ~major:false 20 (fun () -> Array.make 20 n);
  normal "a large array" ~major:true 257 (fun () -> Array.make 257 n);
  normal "the largest array of the minor heap" ~major:false 256 (fun () -> Array.make 256 n);
  normal "a float array" ~major:false 21 (fun () -> Array.make 21 1.);
  normal "a large float array" ~major:true 1000 (fun () -> Array.create_float 1000);
  normal "a string" ~major:false 13 (fun () -> String.make 100 'x');
  normal "a large string" ~major:true 1251 (fun () -> Bytes.create 10_000);
  normal "a copy of an array" ~major:true 301 (let a = Array.make 301 n in fun () -> Array.copy a);
  normal "a weak array" ~major:true 32 (fun () -> Weak.create 30);
  normal "an int64" ~major:false 2 (fun () -> Int64.of_int n)

(* A custom block is two: the block, and the words that it stands for, which have no header. *)
let () =
  let vector n () = Bigarray.Array1.create Bigarray.char Bigarray.c_layout n in
  kind "a bigarray's data" ~source:M.Custom ~header:0 ~major:false 125 (fun () -> Obj.repr (vector 1000 ()));
  kind "a bigarray's data, in words rounded up" ~source:M.Custom ~header:0 ~major:false 2 (fun () -> Obj.repr (vector 9 ()));
  let block = profile (vector 1000) |> List.filter (fun s -> s.source = M.Normal && s.size > 4) in
  Check.it "a bigarray's block is a normal one, with its header"
    (List.exists (fun s -> s.samples = s.size + 1 && not s.major) block)

let () =
  let marshalled v = Marshal.to_string v [] in
  let small = marshalled (List.init 10 string_of_int) and large = marshalled (Array.make 1000 [ 1.5 ]) in
  let marshal s =
    let all = profile (fun () -> (Marshal.from_string s 0 : Obj.t)) |> List.filter (fun x -> x.source = M.Marshal) in
    List.sort compare (List.map (fun x -> (x.size, x.samples)) all)
  in
  let show l = String.concat " " (List.map (fun (a, b) -> Printf.sprintf "%d/%d" a b) l) in
  let times n x = List.init n (fun _ -> x) in
  Check.equal "an unmarshalled list: each block" show (times 10 (1, 2) @ times 10 (2, 3)) (marshal small);
  Check.equal "a large unmarshalled value: each block once, shared ones too" show
    [ (1, 2); (2, 3); (1000, 1001) ] (marshal large);
  let majors = profile (fun () -> (Marshal.from_string large 0 : Obj.t)) in
  Check.it "its large block is in the major heap"
    (List.exists (fun x -> x.source = M.Marshal && x.size = 1000 && x.major) majors)

(* The words of a loop are counted to the word. *)
let () =
  let words = List.fold_left (fun n s -> n + s.samples) 0 (profile (fun () -> List.init 1000 (fun i -> opaque (ref i)))) in
  Check.int "n_samples add up to the words allocated" (1000 * (3 + 2)) (words - words mod 5000);
  let n = List.length (List.filter (fun s -> s.samples < 1) (profile (fun () -> List.init 100 string_of_int))) in
  Check.int "n_samples is at least 1" 0 n
