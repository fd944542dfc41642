(* SPDX-License-Identifier: MIT *)
(* variants: none *)
(* The record Gc.control: its defaults, what Gc.set changes and Gc.get answers, and its ranges. *)
open Gc

let change name f get expected =
  let before = Gc.get () in
  Gc.set (f before);
  Check.int name expected (get (Gc.get ()));
  Gc.set before;
  Check.it (name ^ ", and back") (Gc.get () = before)

let () =
  let c = Gc.get () in
  Check.int "minor_heap_size is 256k" (256 * 1024) c.minor_heap_size;
  Check.int "major_heap_increment is 15" 15 c.major_heap_increment;
  Check.int "space_overhead is 120" 120 c.space_overhead;
  Check.int "verbose is 0" 0 c.verbose;
  Check.int "max_overhead is 500" 500 c.max_overhead;
  Check.int "stack_limit is 128M" (128 * 1024 * 1024) c.stack_limit;
  Check.int "allocation_policy is 0" 0 c.allocation_policy;
  Check.int "window_size is 1" 1 c.window_size;
  Check.int "custom_major_ratio is 44" 44 c.custom_major_ratio;
  Check.int "custom_minor_ratio is 100" 100 c.custom_minor_ratio;
  Check.int "custom_minor_max_size is 70000" 70000 c.custom_minor_max_size

(* Each field is set and read back. *)
let () =
  change "minor_heap_size" (fun c -> { c with minor_heap_size = 32768 }) (fun c -> c.minor_heap_size) 32768;
  change "major_heap_increment in percent" (fun c -> { c with major_heap_increment = 1000 }) (fun c -> c.major_heap_increment) 1000;
  change "major_heap_increment in words" (fun c -> { c with major_heap_increment = 1_000_000 }) (fun c -> c.major_heap_increment) 1_000_000;
  change "space_overhead" (fun c -> { c with space_overhead = 77 }) (fun c -> c.space_overhead) 77;
  change "verbose" (fun c -> { c with verbose = 0x100 }) (fun c -> c.verbose) 0x100;
  change "max_overhead" (fun c -> { c with max_overhead = 1_000_000 }) (fun c -> c.max_overhead) 1_000_000;
  change "stack_limit" (fun c -> { c with stack_limit = 100_000 }) (fun c -> c.stack_limit) 100_000;
  change "allocation_policy" (fun c -> { c with allocation_policy = 2 }) (fun c -> c.allocation_policy) 2;
  change "window_size" (fun c -> { c with window_size = 50 }) (fun c -> c.window_size) 50;
  change "custom_major_ratio" (fun c -> { c with custom_major_ratio = 45 }) (fun c -> c.custom_major_ratio) 45;
  change "custom_minor_ratio" (fun c -> { c with custom_minor_ratio = 46 }) (fun c -> c.custom_minor_ratio) 46;
  change "custom_minor_max_size" (fun c -> { c with custom_minor_max_size = 0 }) (fun c -> c.custom_minor_max_size) 0

(* What is out of range becomes what is nearest. *)
let () =
  change "the least minor heap" (fun c -> { c with minor_heap_size = -5 }) (fun c -> c.minor_heap_size) 512;
  change "a minor heap is whole pages" (fun c -> { c with minor_heap_size = 1000 }) (fun c -> c.minor_heap_size) 1024;
  change "window_size 0" (fun c -> { c with window_size = 0 }) (fun c -> c.window_size) 1;
  change "window_size 51" (fun c -> { c with window_size = 51 }) (fun c -> c.window_size) 50;
  change "space_overhead 0" (fun c -> { c with space_overhead = 0 }) (fun c -> c.space_overhead) 1;
  change "space_overhead max_int" (fun c -> { c with space_overhead = max_int }) (fun c -> c.space_overhead) max_int;
  change "max_overhead below 0" (fun c -> { c with max_overhead = -1 }) (fun c -> c.max_overhead) 0;
  change "major_heap_increment below 0" (fun c -> { c with major_heap_increment = -1 }) (fun c -> c.major_heap_increment) 0;
  change "custom_major_ratio 0" (fun c -> { c with custom_major_ratio = 0 }) (fun c -> c.custom_major_ratio) 1;
  change "custom_minor_ratio below 0" (fun c -> { c with custom_minor_ratio = min_int }) (fun c -> c.custom_minor_ratio) 1;
  change "custom_minor_max_size below 0" (fun c -> { c with custom_minor_max_size = -1 }) (fun c -> c.custom_minor_max_size) 0

(* The limit is never below what the stack holds now. *)
let () =
  let before = Gc.get () in
  Gc.set { before with stack_limit = 1 };
  let limit = (Gc.get ()).stack_limit in
  Check.it "stack_limit is not below the stack" (limit > (Gc.quick_stat ()).stack_size && limit < 10_000);
  Gc.set before

let rec deep n = if n = 0 then 0 else 1 + deep (n - 1)

let () =
  let before = Gc.get () in
  Gc.set { before with stack_limit = 200_000 };
  Check.int "a stack within the limit" 10_000 (deep 10_000);
  Check.raises "a stack beyond the limit" Stack_overflow (fun () -> deep 1_000_000);
  Gc.set before;
  Check.int "and with the limit of before" 1_000_000 (deep 1_000_000)
