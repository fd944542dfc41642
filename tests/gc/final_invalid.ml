(* SPDX-License-Identifier: MIT *)
(* finalise and finalise_last refuse what is not guaranteed to be heap-allocated, and nothing else. *)
type t = Constant | Block of int ref
let refused name v =
  Check.raises ("finalise " ^ name) (Invalid_argument "Gc.finalise") (fun () -> Gc.finalise ignore v);
  Check.raises ("finalise_last " ^ name) (Invalid_argument "Gc.finalise") (fun () -> Gc.finalise_last ignore v)
let taken name v =
  Check.it name (match Gc.finalise ignore v; Gc.finalise_last ignore v with () -> true | exception _ -> false)

let () =
  refused "an integer" 5; refused "a boolean" true; refused "the unit value" (); refused "the empty list" ([] : int list);
  refused "the empty array" (Sys.opaque_identity (Array.make 0 0)); refused "the empty array as a constant" [| |];
  refused "a constant constructor" Constant; refused "a float" (Sys.opaque_identity (float_of_string "1.5"));
  refused "a lazy value" (lazy (Sys.opaque_identity (ref 0)));
  let forced = Sys.opaque_identity (lazy (Sys.opaque_identity (float_of_string "2.5"))) in
  ignore (Lazy.force forced); refused "a forced lazy float" forced;
  taken "a reference" (ref 0); taken "a string" (String.make 3 'x'); taken "bytes" (Bytes.create 3);
  taken "an array" (Array.make 3 0); taken "a large array" (Array.make 1000 0); taken "a float array" (Array.make 3 0.);
  taken "a closure" (let r = ref 0 in fun () -> incr r); taken "a constructor with arguments" (Block (ref 0));
  taken "a boxed integer" (Int64.of_string "7");
  (* A constant lives for ever. *)
  let called = ref false in
  taken "a constant list" [ 1; 2; 3 ];
  Gc.finalise (fun _ -> called := true) [ 1; 2; 3 ];
  for _ = 1 to 3 do Gc.full_major () done;
  Check.it "but is never finalised" (not !called)
