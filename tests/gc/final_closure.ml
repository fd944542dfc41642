(* SPDX-License-Identifier: MIT *)
(* What the finalisation function's closure reaches is reachable; what only it reaches dies with the value. *)
let full () = for _ = 1 to 3 do Gc.full_major () done
let calls = ref 0
let probe = Weak.create 3
let[@inline never] circular () =
  let v = ref 1 in
  Weak.set probe 0 (Some v);
  Gc.finalise (fun _ -> calls := !calls + !v) v
let[@inline never] held () =
  let held = ref 2 and v = ref 3 in
  Weak.set probe 1 (Some held); Weak.set probe 2 (Some v);
  Gc.finalise (fun _ -> calls := !calls + !held) v;
  Gc.finalise_last (fun () -> calls := !calls + 10 * !held) v;
  v

let () =
  circular (); full ();
  Check.int "a value reachable from its own function is not finalised" 0 !calls;
  Check.it "and lives" (Weak.check probe 0);
  let[@inline never] use () =
    let v = held () in
    full ();
    Check.it "the closure keeps what it needs" (Weak.check probe 1);
    ignore (Sys.opaque_identity v) in
  use (); full ();
  Check.int "both functions see it" 22 !calls;
  Check.it "afterwards it is gone" (not (Weak.check probe 1) && not (Weak.check probe 2))
