(* SPDX-License-Identifier: MIT *)
(* A finaliser runs alone unless it calls finalise_release. *)
let full () = for _ = 1 to 3 do Gc.full_major () done
let depth = ref 0
let deepest = ref 0
let calls = ref 0
let inside release _ =
  incr calls; incr depth; deepest := max !deepest !depth;
  if release then Gc.finalise_release ();
  (* Allocation and a collection are safepoints, at which the next one could start. *)
  for i = 1 to 100 do ignore (Sys.opaque_identity (ref i)) done;
  Gc.full_major ();
  decr depth
let[@inline never] make release = for i = 1 to 4 do Gc.finalise (inside release) (ref i) done

let () =
  make false; full ();
  Check.int "four calls" 4 !calls;
  Check.int "one at a time" 1 !deepest;
  deepest := 0; calls := 0;
  make true; full ();
  Check.int "four calls again" 4 !calls;
  Check.int "after a release the next is launched inside" 4 !deepest;
  Gc.finalise_release ();
  Check.int "a release outside of a finaliser is harmless" 0 !depth
