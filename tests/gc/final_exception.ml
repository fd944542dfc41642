(* SPDX-License-Identifier: MIT *)
(* An exception out of a finaliser interrupts the program; the other finalisers are still called. *)
exception Stop of int
let calls = ref 0
let[@inline never] make n =
  for i = 1 to n do Gc.finalise (fun _ -> incr calls; if i = 3 then raise (Stop i)) (ref i) done
let[@inline never] make_last () = Gc.finalise_last (fun () -> raise Exit) (ref 0)

let () =
  make 5;
  let caught = ref 0 in
  for _ = 1 to 4 do try Gc.full_major (); ignore (Sys.opaque_identity (ref 0)) with Stop i -> caught := !caught + i done;
  Check.int "raised once where a collection was asked for" 3 !caught;
  Check.int "all five were called" 5 !calls;
  make_last ();
  let raised = ref 0 in
  for _ = 1 to 4 do try Gc.full_major () with Exit -> incr raised done;
  Check.int "finalise_last raises too" 1 !raised;
  (* An allocation is interrupted as well. *)
  make 5; calls := 0; caught := 0;
  let rec allocate n = if n > 0 then begin ignore (Sys.opaque_identity (Array.make 1000 n)); allocate (n - 1) end in
  (try allocate 300_000 with Stop i -> caught := i);
  Check.int "an allocating loop is interrupted" 3 !caught;
  for _ = 1 to 3 do Gc.full_major () done;
  Check.int "and nothing is lost" 5 !calls
