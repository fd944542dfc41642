(* SPDX-License-Identifier: MIT *)
(* FIELD M10. A program that ignores Out_of_memory is told again for each sixteenth of the limit, and is ended by
   a clear message when it holds twice the limit; it never hangs in collecting. *)
(* runparam: Xlimit=16M,s=32k,V=1 *)
(* variants: none *)
(* stderr: Fatal error: out of memory: the program holds 3\d MiB and has gone on after Out_of_memory; the heap's limit is 16 MiB *)
(* exit: -6 *)
let held = ref []
let told = ref 0
let () =
  while true do
    try while true do held := Array.make 10 0 :: !held done
    with Out_of_memory ->
      incr told;
      if !told = 8 then begin
        let s = Gc.quick_stat () in
        Check.between "told for the eighth time at half more than the limit" 23 27 (s.Gc.heap_words * 8 / 1024 / 1024);
        Check.between "with a few collections for each time" 8 60 s.Gc.major_collections
      end
  done
