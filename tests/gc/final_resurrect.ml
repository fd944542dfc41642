(* SPDX-License-Identifier: MIT *)
(* Gc.finalise: the function may keep the value, attach again, and assign what it reaches. *)
let full () = for _ = 1 to 3 do Gc.full_major () done
let kept = ref []
let calls = ref 0

let rec again r = incr calls; if !calls < 4 then Gc.finalise again r

let[@inline never] make () =
  Gc.finalise (fun r -> kept := r :: !kept) (ref (String.concat "" [ "re"; "vived" ]))
let[@inline never] make_again () = Gc.finalise again (ref 0)
let[@inline never] make_weak w =
  let v = ref (Array.init 10 (fun i -> ref i)) in
  Weak.set w 0 (Some v);
  Gc.finalise (fun v -> kept := [ ref (string_of_int !(!v.(9))) ]) v

let () =
  make (); full ();
  Check.it "the value is there for the function, with all it reaches" (match !kept with [ { contents = "revived" } ] -> true | _ -> false);
  let r = List.hd !kept in
  kept := [];
  full ();
  Check.string "a revived value is an ordinary value" "revived" !r;
  kept := []; full ();
  Check.int "it is not finalised twice" 0 (List.length !kept);
  make_again ();
  for _ = 1 to 8 do Gc.full_major () done;
  Check.int "a function may attach itself again" 4 !calls;
  let w = Weak.create 1 in
  make_weak w; full ();
  Check.it "what only the value reached is whole" (match !kept with [ { contents = "9" } ] -> true | _ -> false);
  Check.it "and gone afterwards" (not (Weak.check w 0));
  (* A large graph that only a finalised value keeps. *)
  let sum = ref 0 in
  let[@inline never] large () =
    Gc.finalise (fun l -> sum := List.fold_left (fun s a -> s + Array.length a) 0 !l) (ref (List.init 5000 (fun _ -> Array.make 7 0))) in
  large (); full ();
  Check.int "a large graph is revived whole" 35000 !sum
