(* SPDX-License-Identifier: MIT *)
(* runparam: v=0x8 *)
(* variants: none *)
(* stderr: (Growing stack to \d+k bytes\n)+Changing stack limit to 8192k bytes\nref_table threshold crossed(\nref_table threshold crossed)* *)
(* Bit 0x008: stacks and tables are resized. *)
let rec deep n = if n = 0 then 0 else 1 + deep (n - 1)

let () =
  Check.int "a deep stack" 100_000 (deep 100_000);
  Gc.set { (Gc.get ()) with Gc.stack_limit = 1024 * 1024 };
  let table = Array.make 200_000 [] in
  Gc.minor ();
  Array.iteri (fun i _ -> table.(i) <- [ i ]) table;
  Check.it "a long table" (Array.length table = 200_000)
