(* SPDX-License-Identifier: MIT *)
(* Native code that recurs has no safepoint where it allocates by primitives only: these run what is pending, so that the
   limit, finalisers and signal handlers come through. *)
(* runparam: Xlimit=32M *)
(* variants: none *)
let some = Array.make 40 0
let floats = Array.make 40 1.5
let data = Marshal.to_string some []

(* No calls but of themselves and of the primitive: else they would have a safepoint. *)
let rec make n = if n = 0 then [] else let x = Array.make 80 n in let r = make (n - 1) in x :: r
let rec create n = if n = 0 then [] else let x = Array.create_float 80 in let r = create (n - 1) in x :: r
let rec sub n = if n = 0 then [] else let x = Array.sub some 0 39 in let r = sub (n - 1) in x :: r
let rec append n = if n = 0 then [] else let x = Array.append floats floats in let r = append (n - 1) in x :: r

external unmarshal : string -> int -> int array = "caml_input_value_from_bytes"
let rec read n = if n = 0 then [] else let x = unmarshal data 0 in let r = read (n - 1) in x :: r

(* Each would hold more than 300 MB. *)
let told name f =
  Check.raises name Out_of_memory (fun () -> ignore (Sys.opaque_identity (f 1_000_000)));
  Gc.full_major ()

exception Finalised

let () =
  told "Array.make" make;
  told "Array.create_float" create;
  told "Array.sub" sub;
  told "Array.append" append;
  told "unmarshalling" read;
  let raised = ref false in
  Gc.finalise (fun _ -> raised := true; raise Finalised) (ref 0);
  Check.raises "a finaliser's exception" Finalised (fun () -> ignore (Sys.opaque_identity (make 60_000)));
  Check.it "it was called" !raised
