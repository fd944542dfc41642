(* SPDX-License-Identifier: MIT *)
(* runparam: s=1,i=0,o=0,O=1G,l=4G,w=1000,M=0,m=0,n=0 *)
(* variants: none *)
(* Letters out of range, and the suffix G. *)
let () =
  let c = Gc.get () in
  Check.int "s=1" 512 c.minor_heap_size;
  Check.int "i=0" 0 c.major_heap_increment;
  Check.int "o=0" 1 c.space_overhead;
  Check.int "O=1G" (1 lsl 30) c.max_overhead;
  Check.int "l=4G" (1 lsl 32) c.stack_limit;
  Check.int "w=1000" 50 c.window_size;
  Check.int "M=0" 1 c.custom_major_ratio;
  Check.int "m=0" 1 c.custom_minor_ratio;
  Check.int "n=0" 0 c.custom_minor_max_size;
  ignore (Sys.opaque_identity (List.init 200_000 string_of_int))
