(* SPDX-License-Identifier: MIT *)
(* runparam: s=0x10k,i=2M,o=0x50,v=0x80,O=300,l=1M,a=1,w=7,M=50,m=0x3C,n=2k *)
(* variants: none *)
(* The fields of Gc.control by their letters in OCAMLRUNPARAM, hexadecimal and with k and M. *)
let () =
  let c = Gc.get () in
  Check.int "s" (16 * 1024) c.minor_heap_size;
  Check.int "i" (2 * 1024 * 1024) c.major_heap_increment;
  Check.int "o" 0x50 c.space_overhead;
  Check.int "v" 0x80 c.verbose;
  Check.int "O" 300 c.max_overhead;
  Check.int "l" (1024 * 1024) c.stack_limit;
  Check.int "a" 1 c.allocation_policy;
  Check.int "w" 7 c.window_size;
  Check.int "M" 50 c.custom_major_ratio;
  Check.int "m" 60 c.custom_minor_ratio;
  Check.int "n" 2048 c.custom_minor_max_size;
  Check.int "a domain starts with the size of the start" (16 * 1024)
    (Domain.join (Domain.spawn (fun () -> (Gc.get ()).minor_heap_size)))
