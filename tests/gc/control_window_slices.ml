(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x40,w=10,s=32k *)
(* variants: none *)
(* stderr: .*alloc work-to-do = \d{5}\ncomputed work = \d{4} words.* *)
(* window_size = 10: of what is owed at first, a slice does a tenth. *)
let () =
  let kept = ref [] in
  for i = 1 to 1_000_000 do kept := i :: !kept done;
  Check.int "the program runs" 1_000_000 (List.length !kept)
