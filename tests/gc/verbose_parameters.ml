(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x20,s=32k,i=1M *)
(* variants: none *)
(* stderr: Initial minor heap size: 32k words\nInitial major heap size: 0k bytes\nInitial space overhead: 120%\nInitial max overhead: 500%\nInitial heap increment: 1024k words\nInitial allocation policy: 0\nInitial smoothing window: 1\nNew heap increment size: 20%\nNew space overhead: 80%\nNew max overhead: 1000000%\nNew allocation policy: 2\nNew smoothing window size: 5\nNew custom major ratio: 45%\nNew custom minor ratio: 101%\nNew custom minor size limit: 8000%\nNew minor heap size: 64k words *)
(* Bit 0x020: the parameters at start, as OCaml 4.14 told them, and each change. *)
let () =
  let c = Gc.get () in
  Gc.set c;
  Gc.set
    { c with
      Gc.minor_heap_size = 65536; major_heap_increment = 20; space_overhead = 80; max_overhead = 1_000_000;
      allocation_policy = 2; window_size = 5; custom_major_ratio = 45; custom_minor_ratio = 101;
      custom_minor_max_size = 8000 };
  Check.it "the program runs" true
