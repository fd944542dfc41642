(* SPDX-License-Identifier: MIT *)
(* variants: no-stress *)
(* A domain that ends leaves its finalisers and ephemerons to another, and forces no major collection (FIELD W3). *)
let full () = for _ = 1 to 3 do Gc.full_major () done
let calls = Atomic.make 0
let table = Array.make 100 None
let weak = Weak.create 100
let keys = Array.init 100 (fun i -> ref i)
let work () =
  for i = 0 to 99 do
    let v = ref i in
    Gc.finalise (fun r -> ignore (Atomic.fetch_and_add calls !r)) v;
    Gc.finalise_last (fun () -> ignore (Atomic.fetch_and_add calls 1000)) v;
    table.(i) <- Some v;
    Weak.set weak i (Some v);
    Ephemeron.K1.make keys.(i) (ref i) |> Sys.opaque_identity |> ignore
  done

let () =
  Domain.join (Domain.spawn work);
  full ();
  Check.int "values that the ended domain watched are in use" 0 (Atomic.get calls);
  Array.fill table 0 100 None;
  full ();
  Check.int "its finalisers are called by another" (4950 + 100_000) (Atomic.get calls);
  Check.it "weak pointers are empty" (List.for_all (fun i -> not (Weak.check weak i)) (List.init 100 Fun.id));
  let e = Domain.join (Domain.spawn (fun () -> Array.map (fun k -> Ephemeron.K1.make k (ref !k)) keys)) in
  full ();
  Check.it "ephemerons of an ended domain work on"
    (List.for_all (fun i -> match Ephemeron.K1.query e.(i) keys.(i) with Some r -> !r = i | None -> false) (List.init 100 Fun.id));
  Array.iteri (fun i _ -> keys.(i) <- ref 0) keys;
  full ();
  Check.it "and lose their data with the key" (Array.for_all (fun e -> not (Obj.Ephemeron.check_data (Obj.magic e))) e);
  let before = Gc.quick_stat () in
  for _ = 1 to 50 do Domain.join (Domain.spawn (fun () -> Gc.finalise ignore (ref 0))) done;
  let after = Gc.quick_stat () in
  Check.between "fifty domains come and go: major collections" 0 2 (after.major_collections - before.major_collections);
  Check.int "and none is forced" before.forced_major_collections after.forced_major_collections;
  (* A table of the ended domain that is being looked at when it ends. *)
  Atomic.set calls 0;
  let busy () =
    for i = 1 to 20_000 do
      Gc.finalise (fun _ -> Atomic.incr calls) (Bytes.create 8);
      if i mod 100 = 0 then ignore (Gc.major_slice 1000)
    done in
  let others = List.init 3 (fun _ -> Domain.spawn busy) in
  busy ();
  List.iter Domain.join others;
  full ();
  Check.int "no finaliser of four busy domains is lost or called twice" 80_000 (Atomic.get calls)
