(* SPDX-License-Identifier: MIT *)
(* K1, K2, Kn, their Buckets and hash tables: data lives as long as the ephemeron and all keys. *)
open Ephemeron
let full () = for _ = 1 to 2 do Gc.full_major () done
let probe = Weak.create 10
let data i = let d = ref i in Weak.set probe i (Some d); d
let alive i = Weak.check probe i

let[@inline never] k1 () =
  let k = ref 1 and e = ref None in
  e := Some (K1.make k (data 1));
  full ();
  Check.it "K1: data lives with the key" (match K1.query (Option.get !e) k with Some d -> !d = 1 | None -> false);
  Check.it "K1: another key finds nothing" (K1.query (Option.get !e) (ref 1) = None);
  ignore (Sys.opaque_identity k);
  Option.get !e

let[@inline never] k2 () =
  let a = ref 1 and b = ref 2 in
  let e = K2.make a b (data 2) in
  full ();
  Check.it "K2: both keys" (Option.is_some (K2.query e a b) && K2.query e b a = None);
  ignore (Sys.opaque_identity b);
  (a, e)

let[@inline never] kn () =
  let keys = Array.init 20 ref in
  let e = Kn.make keys (data 3) in
  full ();
  Check.it "Kn: all keys" (Option.is_some (Kn.query e keys) && Kn.query e (Array.make 20 (ref 0)) = None);
  Check.it "Kn: another number of keys" (Kn.query e (Array.sub keys 0 19) = None);
  let all_but_one = Array.sub keys 0 19 in
  ignore (Sys.opaque_identity keys);
  (all_but_one, e)

let[@inline never] buckets () =
  let b1 = K1.Bucket.make () and b2 = K2.Bucket.make () and bn = Kn.Bucket.make () in
  let keys = Array.init 10 ref in
  Array.iteri (fun i k -> K1.Bucket.add b1 k (ref i); K2.Bucket.add b2 k keys.(0) (ref i); Kn.Bucket.add bn [| k; keys.(0) |] (ref i)) keys;
  full ();
  let is i = function Some d -> !d = i | None -> false in
  Check.it "buckets find by key" (List.for_all (fun i ->
      is i (K1.Bucket.find b1 keys.(i)) && is i (K2.Bucket.find b2 keys.(i) keys.(0)) && is i (Kn.Bucket.find bn [| keys.(i); keys.(0) |]))
      (List.init 10 Fun.id));
  K1.Bucket.remove b1 keys.(3); K2.Bucket.remove b2 keys.(3) keys.(0); Kn.Bucket.remove bn [| keys.(3); keys.(0) |];
  Check.it "and forget it" (K1.Bucket.find b1 keys.(3) = None && K2.Bucket.find b2 keys.(3) keys.(0) = None && Kn.Bucket.find bn [| keys.(3); keys.(0) |] = None);
  Check.int "length" 9 (K1.Bucket.length b1);
  K1.Bucket.clear b1;
  Check.int "clear" 0 (K1.Bucket.length b1)

module T1 = K1.Make (struct type t = int ref let equal = ( == ) let hash r = !r end)
module T2 = K2.Make (struct type t = int ref let equal = ( == ) let hash r = !r end) (struct type t = int ref let equal = ( == ) let hash r = !r end)
module Tn = Kn.Make (struct type t = int ref let equal = ( == ) let hash r = !r end)
let[@inline never] tables () =
  let t1 = T1.create 10 and t2 = T2.create 10 and tn = Tn.create 10 in
  let keys = Array.init 100 ref in
  let add k i = T1.replace t1 k (i, k); T2.replace t2 (k, k) (i, k); Tn.replace tn [| k; k |] (i, k) in
  Array.iteri (fun i k -> add k i) keys;
  for i = 0 to 999 do add (ref i) i done;
  full ();
  Check.it "tables keep what has its key, though the data refers to it" (List.for_all (fun i ->
      fst (T1.find t1 keys.(i)) = i && fst (T2.find t2 (keys.(i), keys.(i))) = i && fst (Tn.find tn [| keys.(i); keys.(i) |]) = i) (List.init 100 Fun.id));
  T1.clean t1; T2.clean t2; Tn.clean tn;
  Check.it "clean" (T1.length t1 = 100 && T2.length t2 = 100 && Tn.length tn = 100);
  Check.int "stats_alive" 100 (T1.stats_alive t1).num_bindings;
  ignore (Sys.opaque_identity keys)

(* Data that lives because it is held elsewhere leaves the ephemeron all the same. *)
let[@inline never] held () =
  let d = ref 5 in
  (K1.make (ref 0) d, d)

let () =
  let e1 = k1 () in
  let a, e2 = k2 () in
  let all_but_one, en = kn () in
  full ();
  Check.it "K1: dead key, dead data" (not (alive 1));
  Check.it "K2: one key dead, data dead" (not (alive 2));
  Check.it "Kn: one of twenty keys dead, data dead" (not (alive 3));
  Check.it "and empty" (not (Obj.Ephemeron.check_data (Obj.magic e2)) && not (Obj.Ephemeron.check_data (Obj.magic en)));
  Check.it "the key that is alive stays" (Obj.Ephemeron.check_key (Obj.magic e2) 0 && Obj.Ephemeron.check_key (Obj.magic en) 18);
  buckets ();
  tables ();
  let e, d = held () in
  full ();
  Check.it "a dead key empties the data though it is held" (not (Obj.Ephemeron.check_data (Obj.magic e)));
  ignore (Sys.opaque_identity (a, all_but_one, e1, d));
  (* The data refers to its own key. *)
  let[@inline never] circular () = let k = ref (ref 0) in let e = K1.make k k in Weak.set probe 9 (Some !k); e in
  let e = circular () in
  full ();
  Check.it "data that holds its own key keeps nothing" (not (alive 9) && not (Obj.Ephemeron.check_key (Obj.magic e) 0))
