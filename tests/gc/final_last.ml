(* SPDX-License-Identifier: MIT *)
(* Gc.finalise_last: called when the value is gone for the last time, after every function of finalise, with
   every weak pointer and ephemeron to it empty. *)
let full () = for _ = 1 to 3 do Gc.full_major () done
let log = Buffer.create 100
let say s = Buffer.add_string log s
let taken () = let s = Buffer.contents log in Buffer.clear log; s

let[@inline never] ordered () =
  let values = List.init 4 (fun i -> ref i) in
  Gc.full_major ();
  List.iteri (fun i r -> Gc.finalise_last (fun () -> say (string_of_int i)) r) values;
  List.iter (Gc.finalise (fun r -> say (Printf.sprintf "f%d" !r))) values;
  ignore (Sys.opaque_identity values)
let[@inline never] young () = for i = 0 to 3 do Gc.finalise_last (fun () -> say (string_of_int i)) (ref i) done

let kept = ref None
let[@inline never] revived () =
  let v = ref 0 in
  Gc.finalise_last (fun () -> say "L") v;
  Gc.finalise (fun v -> say "F"; kept := Some v) v

let weak = Weak.create 1
let key = ref 0
let ephe_key = Ephemeron.K1.make (ref 0) (ref 0)
let as_data = ref (Ephemeron.K1.make key (ref 0))
let[@inline never] watched old =
  let v = ref 7 in
  if old then Gc.full_major ();
  Weak.set weak 0 (Some v);
  let e = Ephemeron.K1.make v (ref 8) in
  let d = Ephemeron.K1.make v v in
  Gc.finalise_last (fun () ->
      say (if Weak.check weak 0 || Weak.get weak 0 <> None || Weak.get_copy weak 0 <> None then "weak" else "-");
      say (if Obj.Ephemeron.check_key (Obj.magic e) 0 || Obj.Ephemeron.check_data (Obj.magic e) then "key" else "-");
      say (if Obj.Ephemeron.get_data (Obj.magic d) <> None then "data" else "-")) v;
  ignore (Sys.opaque_identity v)

let () =
  ordered (); full ();
  Check.string "finalise before finalise_last; both in reverse order" "f3f2f1f03210" (taken ());
  full (); Check.string "once only" "" (taken ());
  young (); full ();
  Check.int "values that die young" 4 (String.length (taken ()));
  revived (); full ();
  Check.string "a revived value is not gone" "F" (taken ());
  full (); Check.string "as long as it is held" "" (taken ());
  kept := None; full ();
  Check.string "gone for the last time" "L" (taken ());
  watched false; full ();
  Check.string "weak pointers to it are empty before (young)" "---" (taken ());
  watched true; full ();
  Check.string "weak pointers to it are empty before (old)" "---" (taken ());
  let[@inline never] minor () = Gc.finalise_last (fun () -> say "m") (ref 0) in
  minor (); Gc.minor (); ignore (Sys.opaque_identity (ref 0));
  Check.string "a minor collection is enough for a young value" "m" (taken ())
