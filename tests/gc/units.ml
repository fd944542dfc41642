(* SPDX-License-Identifier: MIT *)
(* Minor words are exact, and asking for them allocates nothing. *)
let () =
  let a = Gc.minor_words () in
  let b = Gc.minor_words () in
  (* A boxed float is two words; native code has it unboxed. *)
  let words_of_result = if Check.is_native then 0 else 2 in
  Check.int "asking for minor words allocates its own result only" words_of_result (int_of_float (b -. a));
  let before = Gc.minor_words () in
  let kept = Sys.opaque_identity (Array.make 10 0) in
  let after = Gc.minor_words () in
  Check.int "an array of ten is eleven words" 11 (int_of_float (after -. before) - words_of_result);
  ignore (Sys.opaque_identity kept)
