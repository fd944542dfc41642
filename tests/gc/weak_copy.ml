(* SPDX-License-Identifier: MIT *)
(* Weak.get_copy: a copy of any shape, and the value itself may die in the cycle that is under way (get would keep it). *)
(* variants: no-stress *)
let n = 500
let full () = for _ = 1 to 2 do Gc.full_major () done
let count w = List.length (List.filter (Weak.check w) (List.init n Fun.id))

let[@inline never] fill w make =
  let held = Array.init n make in
  Array.iteri (fun i v -> Weak.set w i (Some v)) held;
  full ();
  ignore (Sys.opaque_identity held)

(* A weak array of [n] values that nobody holds: cycles go on in slices while [look] looks at each all the time. Marking is long for
   the list's sake. *)
let weak_through_a_cycle make look =
  let ballast = Sys.opaque_identity (List.init 20_000 (fun i -> ref i)) in
  let w = Weak.create n in
  fill w make;
  let until = (Gc.quick_stat ()).Gc.major_collections + 2 in
  while (Gc.quick_stat ()).Gc.major_collections < until do
    ignore (Gc.major_slice 3000);
    for i = 0 to n - 1 do look w i done
  done;
  ignore (Sys.opaque_identity ballast);
  count w

let whole = ref true
let copy w i =
  match Weak.get_copy w i with
  | Some { contents = { contents = x } } -> if x <> i then whole := false
  | None -> ()
let see w i = match Weak.get w i with Some { contents = { contents = x } } -> if x <> i then whole := false | None -> ()

let () =
  let old i = ref (ref i) in
  let kept = ref [] in
  let hold_copy w i = if i = 7 then match Weak.get_copy w i with Some c -> kept := c :: !kept | None -> () in
  Check.int "looked at through get_copy the values die" 0 (weak_through_a_cycle old copy);
  Check.int "copies that are kept do not keep them" 0 (weak_through_a_cycle old hold_copy);
  full ();
  Check.it "copies keep what they refer to" (List.for_all (fun c -> !(!c) = 7) !kept);
  Check.int "looked at through get they stay" n (weak_through_a_cycle old see);
  Check.it "what was seen was whole" !whole

(* Shapes. *)
let copied name v =
  let w = Weak.create 1 in
  full ();
  Weak.set w 0 (Some v);
  match Weak.get_copy w 0 with
  | None -> Check.it name false
  | Some c -> Check.it name (c != v && compare c v = 0); ignore (Sys.opaque_identity v)

type floats = { a : float; b : float }

let () =
  let n = Sys.opaque_identity 3 in
  copied "a tuple" (n, "x", [ n ]);
  copied "a string" (String.make n 'x');
  copied "a float" (float_of_int n);
  copied "floats" { a = float_of_int n; b = 2. };
  copied "a large array" (Array.init 1000 (fun i -> ref i));
  copied "a large float array" (Array.make 1000 1.5);
  copied "long bytes" (Bytes.make 5000 'y');
  let same name v =
    let w = Weak.create 1 in
    Weak.set w 0 (Some v);
    Check.it name (Option.get (Weak.get_copy w 0) == v)
  in
  same "an int64 is custom, and not copied" (Int64.of_int n);
  same "an integer" n;
  let closures = Weak.create 2 in
  let rec even i = i = 0 || odd (i - n + 2) and odd i = i <> 0 && even (i - n + 2) in
  let even = Sys.opaque_identity even and odd = Sys.opaque_identity odd in
  Weak.set closures 0 (Some even);
  Weak.set closures 1 (Some odd);
  let call i x = Option.get (Weak.get_copy closures i) x in
  Check.it "closures" (call 0 10 && not (call 0 11) && call 1 11 && not (call 1 10));
  ignore (Sys.opaque_identity (even, odd))
