(* SPDX-License-Identifier: MIT *)
(* Weak: each function of weak.mli on values that die young, die old, and live. *)
let full () = for _ = 1 to 2 do Gc.full_major () done
let refuses name who f = Check.raises name (Invalid_argument who) f

let[@inline never] fill w keep = for i = 0 to Weak.length w - 1 do
    let v = ref i in Weak.set w i (Some v); if i mod 3 = 0 then keep.(i) <- v done
let seen w = String.init (Weak.length w) (fun i -> match Weak.get w i with
    | Some v -> assert (!v = i && Weak.check w i); 'x' | None -> assert (not (Weak.check w i)); '.')

let () =
  let w = Weak.create 9 and keep = Array.make 9 (ref 0) in
  Check.int "length" 9 (Weak.length w);
  Check.string "empty at first" "........." (seen w);
  fill w keep;
  Gc.minor ();
  Check.string "a minor collection clears dead young values" "x..x..x.." (seen w);
  full ();
  Check.string "what is held stays" "x..x..x.." (seen w);
  ignore (Sys.opaque_identity keep.(0));
  let old = Array.init 9 (fun i -> ref i) in
  full ();
  Array.iteri (fun i v -> Weak.set w i (Some v)) old;
  for i = 0 to 8 do if i mod 3 <> 1 then old.(i) <- ref 0 done;
  full ();
  Check.string "dead old values are cleared" ".x..x..x." (seen w);
  (match Weak.get_copy w 1 with
   | Some c -> Check.it "get_copy is a copy" (!c = 1 && c != old.(1))
   | None -> Check.it "get_copy" false);
  Check.it "get is the value" (Weak.get w 4 = Some old.(4) && Option.get (Weak.get w 4) == old.(4));
  let w2 = Weak.create 9 in
  Weak.blit w 0 w2 1 8;
  Check.it "blit" (Option.get (Weak.get w2 2) == old.(1) && not (Weak.check w2 1));
  Weak.blit w2 0 w2 1 8;
  Check.it "blit onto itself" (Option.get (Weak.get w2 3) == old.(1) && Option.get (Weak.get w2 6) == old.(4));
  Weak.fill w2 0 9 (Some old.(7));
  Check.it "fill" (List.for_all (fun i -> Option.get (Weak.get w2 i) == old.(7)) [ 0; 4; 8 ]);
  Weak.set w2 0 None;
  Check.it "set None" (not (Weak.check w2 0) && Weak.check w2 1);
  refuses "get below" "Weak.get" (fun () -> ignore (Weak.get w (-1)));
  refuses "get above" "Weak.get" (fun () -> ignore (Weak.get w 9));
  refuses "get_copy above" "Weak.get_copy" (fun () -> ignore (Weak.get_copy w 9));
  refuses "check above" "Weak.check" (fun () -> ignore (Weak.check w 9));
  refuses "set above" "Weak.set" (fun () -> Weak.set w 9 None);
  refuses "blit above" "Weak.blit" (fun () -> Weak.blit w 5 w2 5 5);
  refuses "fill above" "Weak.fill" (fun () -> Weak.fill w 5 5 None);
  refuses "create below 0" "Weak.create" (fun () -> ignore (Weak.create (-1)));
  refuses "create too long" "Weak.create" (fun () -> ignore (Weak.create (Obj.Ephemeron.max_ephe_length + 1)));
  let ints : int Weak.t = Weak.create 1 in
  Weak.set ints 0 (Some 5); full ();
  Check.it "what is not allocated is never erased" (Weak.get ints 0 = Some 5);
  ignore (Sys.opaque_identity old)
