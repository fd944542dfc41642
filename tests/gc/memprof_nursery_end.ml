(* SPDX-License-Identifier: MIT *)
(* With rate 1 each block is sampled, those too that find the nursery full; and the nursery's end does its part of the
   major collector's work, as without a profile. *)
module M = Gc.Memprof

let blocks = 4_000

let () =
  Gc.set { (Gc.get ()) with minor_heap_size = 4096 };
  let seen = ref 0 in
  let note (a : M.allocation) = if a.size = 40 then incr seen; None in
  let profile = M.start ~sampling_rate:1. ~callstack_size:0 { M.null_tracker with alloc_minor = note } in
  for i = 1 to blocks do
    ignore (Sys.opaque_identity
      [| i; 0; 0; 0; 0; 0; 0; 0; 0; 0; i; 0; 0; 0; 0; 0; 0; 0; 0; 0; i; 0; 0; 0; 0; 0; 0; 0; 0; 0; i; 0; 0; 0; 0; 0; 0; 0; 0; 0 |])
  done;
  M.stop ();
  M.discard profile;
  Check.int "blocks that were sampled" blocks !seen;
  let profile = M.start ~sampling_rate:1e-6 ~callstack_size:0 M.null_tracker in
  let cycles = (Gc.quick_stat ()).major_collections and keep = ref [] in
  for i = 1 to 1_000_000 do
    keep := Sys.opaque_identity i :: !keep;
    if i mod 20_000 = 0 then keep := []
  done;
  M.stop ();
  M.discard profile;
  Check.it "cycles of the major collector while sampling" ((Gc.quick_stat ()).major_collections - cycles >= 2)
