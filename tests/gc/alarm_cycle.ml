(* SPDX-License-Identifier: MIT *)
(* Gc alarms: at the end of major cycles, until deleted. *)
let () =
  let n = ref 0 and m = ref 0 in
  let a = Gc.create_alarm (fun () -> incr n) in
  let b = Gc.create_alarm (fun () -> incr m) in
  for _ = 1 to 5 do Gc.full_major () done;
  (* Not guaranteed at the end of every cycle, but it is the end of some cycle that calls it. *)
  let cycles = (Gc.quick_stat ()).major_collections in
  Check.between "called at cycles' ends" 3 cycles !n;
  Check.int "two alarms are called alike" !n !m;
  Gc.delete_alarm a;
  let at = !n in
  for _ = 1 to 3 do Gc.full_major () done;
  Check.int "not after it is deleted" at !n;
  Check.it "the other is" (!m > at);
  Gc.delete_alarm a; Gc.delete_alarm a;
  Check.it "deleting twice has no effect" true;
  Gc.delete_alarm b;
  (* Without a forced collection. *)
  let called = ref false in
  let c = Gc.create_alarm (fun () -> called := true) in
  let tries = ref 0 and keep = ref [] in
  while not !called && !tries < 2000 do
    incr tries;
    keep := Array.make 1000 !tries :: (if !tries mod 500 = 0 then [] else !keep);
    for i = 1 to 1000 do ignore (Sys.opaque_identity (Array.make 10 i)) done
  done;
  Check.it "an allocating program's own cycles call it" !called;
  Gc.delete_alarm c;
  (* Deleted from inside; raising. *)
  let inside = ref 0 in
  let rec d = lazy (Gc.create_alarm (fun () -> incr inside; Gc.delete_alarm (Lazy.force d))) in
  ignore (Lazy.force d);
  for _ = 1 to 5 do Gc.full_major () done;
  Check.int "an alarm may delete itself" 1 !inside;
  let raised = ref 0 in
  let e = Gc.create_alarm (fun () -> raise Exit) in
  for _ = 1 to 6 do try Gc.full_major () with Exit -> incr raised done;
  Check.it "an alarm that raises goes on being called" (!raised >= 2);
  Gc.delete_alarm e
