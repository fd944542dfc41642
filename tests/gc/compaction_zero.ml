(* SPDX-License-Identifier: MIT *)
(* runparam: O=0 *)
(* max_overhead = 0: a compaction at the end of each major cycle; 1_000_000: none. *)
let compactions () = (Gc.quick_stat ()).Gc.compactions
let cycles () = (Gc.quick_stat ()).Gc.major_collections
let table = Array.init 20_000 (fun i -> Some (string_of_int i))

let work rounds =
  for round = 1 to rounds do
    for i = 0 to Array.length table - 1 do
      if (i + round) mod 3 = 0 then table.(i) <- None;
      if (i + round) mod 7 = 0 then table.(i) <- Some (string_of_int i)
    done
  done

let sound () =
  let ok = ref true in
  Array.iteri (fun i s -> match s with Some s -> if s <> string_of_int i then ok := false | None -> ()) table;
  !ok

let () =
  Gc.full_major ();
  let c0 = cycles () and n0 = compactions () in
  work 30;
  Gc.full_major ();
  Gc.major ();
  Check.int "as many compactions as cycles" (cycles () - c0) (compactions () - n0);
  Check.it "there were some" (cycles () > c0);
  Check.it "what lives is what it was" (sound ())

let () =
  Gc.set { (Gc.get ()) with Gc.max_overhead = 1_000_000 };
  let n0 = compactions () in
  for i = 0 to Array.length table - 1 do if i mod 50 <> 0 then table.(i) <- None done;
  for _ = 1 to 5 do Gc.full_major () done;
  Check.int "none with a million" n0 (compactions ());
  Gc.compact ();
  Check.int "but when asked for" (n0 + 1) (compactions ())

(* With several domains. *)
let () =
  Gc.set { (Gc.get ()) with Gc.max_overhead = 0 };
  let n0 = compactions () in
  let child () =
    let t = Array.init 2000 (fun i -> ref i) in
    for i = 1 to 3 do Gc.full_major () done;
    Array.for_all (fun r -> !r >= 0) t
  in
  let all = List.map Domain.spawn [ child; child; child ] in
  Check.it "domains compact while others run" (List.for_all Domain.join all);
  Check.it "and are counted" (compactions () >= n0 + 3);
  Check.it "what lives is what it was" (sound ())
