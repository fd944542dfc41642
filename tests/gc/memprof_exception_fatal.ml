(* SPDX-License-Identifier: MIT *)
(* An uncaught exception of a callback ends the program as any other does. *)
(* exit: 2 *)
(* stderr: Fatal error: exception Failure\("of a callback"\).* *)
let () =
  Check.it "the program runs until the callback" true;
  ignore (Gc.Memprof.start ~sampling_rate:1. { Gc.Memprof.null_tracker with alloc_minor = fun _ -> failwith "of a callback" });
  ignore (Sys.opaque_identity (ref 0));
  Check.it "the program goes on after an uncaught exception" false
