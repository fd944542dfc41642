(* SPDX-License-Identifier: MIT *)
(* Sampling is Bernoulli's: each word by itself, with the probability that was asked for. With right odds
 * each bound fails with a probability below 1e-9 (Chernoff); the generators' seeds are fixed besides. *)
module M = Gc.Memprof

let opaque = Sys.opaque_identity

(* Samples, and sampled blocks, of the given size in what f allocates. *)
let samples ~rate size f =
  let total = ref 0 and blocks = ref 0 in
  let note (a : M.allocation) =
    if a.size = size then begin total := !total + a.n_samples; incr blocks end;
    None
  in
  let p = M.start ~sampling_rate:rate ~callstack_size:0 { M.null_tracker with alloc_minor = note; alloc_major = note } in
  f ();
  M.stop ();
  M.discard p;
  (!total, !blocks)

(* The bounds of a sum of independent trials with the expectation mu: P (X >= (1 + d) mu) <= exp (- mu ((1 + d) ln (1 + d) - d)),
 * P (X <= (1 - d) mu) <= exp (- mu d^2 / 2). *)
let bounds mu =
  let enough = 22. in
  let rec up d = if mu *. (((1. +. d) *. log1p d) -. d) >= enough then d else up (d +. 0.001) in
  let low = Float.max 0. (mu *. (1. -. sqrt (2. *. enough /. mu))) and high = mu *. (1. +. up 0.) in
  (int_of_float (Float.floor low), int_of_float (Float.ceil high))

let expect name mu got =
  let low, high = bounds mu in
  Check.between name low high got

let refs n = for i = 1 to n do ignore (opaque (ref i)) done
let arrays size n = for i = 1 to n do ignore (opaque (Array.make size i)) done
let marshalled = Marshal.to_string (Array.init 200 (fun i -> ref i)) []
let unmarshal n = for _ = 1 to n do ignore (opaque (Marshal.from_string marshalled 0 : int ref array)) done
let vectors n = for _ = 1 to n do ignore (opaque (Bigarray.Array1.create Bigarray.int Bigarray.c_layout 100)) done

let at rate scale =
  let name what = Printf.sprintf "rate %g: %s" rate what in
  let kind what size words n f =
    let total, blocks = samples ~rate size (fun () -> f n) in
    let words = words * n in
    expect (name what) (float_of_int words *. rate) total;
    (total, blocks)
  in
  ignore (kind "references" 1 2 (150_000 * scale) refs);
  let _, blocks = kind "arrays of the minor heap" 9 10 (30_000 * scale) (arrays 9) in
  let once = 1. -. ((1. -. rate) ** 10.) in
  expect (name "blocks that are sampled at all") (float_of_int (30_000 * scale) *. once) blocks;
  ignore (kind "arrays of the major heap" 999 1000 (300 * scale) (arrays 999));
  ignore (kind "unmarshalled values" 1 400 (750 * scale) unmarshal);
  ignore (kind "the data of bigarrays" 100 100 (3_000 * scale) vectors)

let () =
  at 1e-2 1;
  at 1e-4 10

(* At rate 1 each word is sampled. *)
let () =
  let all what size words n f =
    let total, blocks = samples ~rate:1. size (fun () -> f n) in
    Check.int ("rate 1: " ^ what) (words * n) total
  in
  all "references" 1 2 10_000 refs;
  all "arrays of the minor heap" 9 10 2_000 (arrays 9);
  all "arrays of the major heap" 999 1000 50 (arrays 999);
  all "unmarshalled values" 1 400 20 unmarshal;
  all "the data of bigarrays" 100 100 50 vectors

(* Not every hundredth word, but one in a hundred: the counts of windows vary as a binomial's do. chi2 / k of k = 300
 * windows is within [0.57, 1.6] but for a probability below 1e-9. *)
let () =
  let windows = 300 and words = 2000 and rate = 0.01 in
  let count = Array.init windows (fun _ -> fst (samples ~rate 1 (fun () -> refs (words / 2)))) in
  let mean = float_of_int words *. rate in
  let chi2 = Array.fold_left (fun sum n -> sum +. (((float_of_int n -. mean) ** 2.) /. (mean *. (1. -. rate)))) 0. count in
  Check.between "the variance is a binomial's, in hundredths" 57 160 (int_of_float (100. *. chi2 /. float_of_int windows))

(* The samples of a block of 100 words at one half. *)
let () =
  let n = 3000 in
  let total, blocks = samples ~rate:0.5 99 (fun () -> arrays 99 n) in
  expect "rate 0.5: half of the words" (float_of_int (n * 50)) total;
  Check.int "and each block of 100 words" n blocks
