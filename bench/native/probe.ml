(* SPDX-License-Identifier: MIT *)
(* The longest pause of a program that looks at the clock all the time: the most processor time of its thread between two
   looks. What other processes do is not in it. *)

external look : unit -> unit = "probe_look" [@@noalloc]
external longest_ms : unit -> float = "probe_longest_ms"

(* For places that are passed more often than every 100 ns. *)
let passed = ref 0

let pass () =
  incr passed;
  if !passed land 15 = 0 then look ()

(* How much work: the first argument; 1 is the amount of the benchmark, 0.1 is for a look whether all is well. *)
let scale n = match Sys.argv with [| _; s |] -> max 1 (int_of_float (float_of_int n *. float_of_string s)) | _ -> n

(* The peak of resident memory. *)
let peak_kb () =
  let file = open_in "/proc/self/status" in
  let rec find () = try Scanf.sscanf (input_line file) "VmHWM: %d" Fun.id with Scanf.Scan_failure _ -> find () in
  find ()

(* Printed by every program: what it computed, and the figures. *)
let finish checksum =
  look ();
  Printf.printf "result %d\nlongest_pause_ms %.3f\npeak_kb %d\n" checksum (longest_ms ()) (peak_kb ())
