(* SPDX-License-Identifier: MIT *)
(* One domain spins, which looks for signals and allocates nothing, while another unmarshals 6 MB again and again: the memory held. *)
open Figures

let stop = Atomic.make false

let () =
  let spinner = Domain.spawn (fun () -> while not (Atomic.get stop) do Domain.cpu_relax () done) in
  let data = Marshal.to_string (Array.init 500 (fun i -> (list 300, string_of_int i))) [] in
  let highest = ref 0 in
  let cpu = processor (fun () ->
      for _ = 1 to 100 do
        keep (Marshal.from_string data 0 : (int list * string) array);
        highest := max !highest (quick ()).heap_words
      done) in
  Atomic.set stop true;
  Domain.join spinner;
  figure "heap_MB" (float_of_int !highest /. 131072.);
  count "cycles" (cycles ());
  figure "cpu_s" cpu
