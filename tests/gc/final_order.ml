(* SPDX-License-Identifier: MIT *)
(* Gc.finalise: each instance is called once, those of one cycle in the reverse order of registration. *)
let log = Buffer.create 100
let say s = Buffer.add_string log s
let taken () = let s = Buffer.contents log in Buffer.clear log; s
let full () = for _ = 1 to 3 do Gc.full_major () done

let[@inline never] five () =
  let values = List.init 5 (fun i -> ref i) in
  Gc.full_major ();   (* so that no collection parts them *)
  List.iter (Gc.finalise (fun r -> say (string_of_int !r))) values;
  ignore (Sys.opaque_identity values)

let[@inline never] one_value_many_functions () =
  let r = ref 0 in
  let f = fun _ -> say "f" in
  Gc.finalise f r; Gc.finalise (fun _ -> say "g") r; Gc.finalise f r;
  Gc.full_major ();
  Check.string "nothing is called while the value is in use" "" (taken ());
  ignore (Sys.opaque_identity !r)

(* Finalised in the order of allocation: each before what it depends upon. *)
type node = { name : string; next : node option }
let[@inline never] dependent () =
  let rec make before = function
    | [] -> ()
    | name :: rest ->
      let n = { name = String.concat "" [ name ]; next = before } in
      Gc.finalise (fun n -> say n.name; Option.iter (fun b -> say ("<" ^ b.name)) n.next) n;
      make (Some n) rest
  in
  make None [ "a"; "b"; "c" ]

let () =
  five (); full ();
  Check.string "the reverse order of registration" "43210" (taken ());
  full ();
  Check.string "once only" "" (taken ());
  one_value_many_functions (); full ();
  Check.string "each instance of a function once, last attached first" "fgf" (taken ());
  dependent (); full ();
  Check.string "a value before what it depends upon" "c<bb<aa" (taken ());
  let count = ref 0 in
  for _ = 1 to 20000 do Gc.finalise (fun _ -> incr count) (Bytes.create 10) done;
  full ();
  Check.int "each of 20000 values once" 20000 !count;
  Gc.finalise (fun _ -> incr count) (Array.make 300 0);
  full ();
  Check.int "a value born in the major heap" 20001 !count
