(* SPDX-License-Identifier: MIT *)
(* What the programs of this folder have in common: a figure is printed as its name and a number, and at exit the
   peak of resident memory, in MB. *)

let figure name value = Printf.printf "%s %.7g\n%!" name value
let count name n = figure name (float_of_int n)

(* A number of /proc/self/status: kB for what begins with Vm. *)
let status key =
  let file = open_in "/proc/self/status" in
  let rec look () =
    match Scanf.sscanf_opt (input_line file) "%[^:]: %d" (fun k n -> (k, n)) with
    | Some (k, n) when k = key -> n
    | _ -> look ()
  in
  Fun.protect look ~finally:(fun () -> close_in file)

let megabytes key = float_of_int (status key) /. 1024.

(* Processor time of the process, in seconds: what other processes do is not in it. *)
let processor f =
  let start = Sys.time () in
  f ();
  Sys.time () -. start

let wall f =
  let start = Unix.gettimeofday () in
  f ();
  Unix.gettimeofday () -. start

(* The longest pause, in ms of processor time: the longest step between two looks at the clock. [restart] forgets
   the time since the last look. *)
let longest = ref 0.
let last = ref 0.
let restart () = last := Sys.time ()

let look () =
  let now = Sys.time () in
  if now -. !last > !longest then longest := now -. !last;
  last := now

let pause () = figure "longest_pause_ms" (1e3 *. !longest)

(* The n-th argument, where the program calls itself. *)
let argument n = if Array.length Sys.argv > n then Some Sys.argv.(n) else None

(* The exit code of this program with an argument, on the same runtime, after some words of shell. *)
let again before arg =
  Sys.command
    (Printf.sprintf "%s exec %s %s %s >/dev/null 2>&1" before (Filename.quote (Sys.getenv "FIELD_RUNTIME"))
       (Filename.quote Sys.argv.(0)) arg)

let quick = Gc.quick_stat
let cycles () = (quick ()).Gc.major_collections
let rec list n = if n = 0 then [] else n :: list (n - 1)
let keep x = ignore (Sys.opaque_identity x)

let () = at_exit (fun () -> if argument 1 = None then figure "peak_MB" (megabytes "VmHWM"))
