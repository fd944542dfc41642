(* SPDX-License-Identifier: MIT *)
(* runparam: Xstress=1 *)
(* variants: none *)
(* A word is sampled with the profile's rate, also where its allocation collects: what the nursery's end draws anew is for
   the words behind it. 20,000 references at rate 0.1: 4000 samples, and 400 are more than six times the standard deviation. *)
module M = Gc.Memprof

let () =
  let samples = ref 0 in
  let note (a : M.allocation) = if a.size = 1 then samples := !samples + a.n_samples; None in
  let profile = M.start ~sampling_rate:0.1 ~callstack_size:0 { M.null_tracker with alloc_minor = note } in
  for i = 1 to 20_000 do ignore (Sys.opaque_identity (ref i)) done;
  M.stop ();
  M.discard profile;
  Check.between "samples of two words each" 3600 4400 !samples
