(* SPDX-License-Identifier: MIT *)
(* runparam: Xmarkers=2 *)
(* Threads that mark beside the program: they are there from the first cycle on, no domain to anybody, and lose nothing. *)

let threads () = Array.length (Sys.readdir "/proc/self/task")
let list n = List.init n (fun i -> (i, string_of_int i))
let holds n l = List.length l = n && List.for_all (fun (i, s) -> s = string_of_int i) l

(* Fields of old blocks change while they are being marked. *)
let churn () =
  let table = Array.init 200 (fun i -> list (i mod 50)) in
  for i = 0 to 6_000 do
    let from = i * 7919 mod 200 and at = i * 104729 mod 200 in
    table.(at) <- (if i mod 3 = 0 then list (i mod 50) else List.rev (List.rev table.(from)))
  done;
  Array.for_all (fun l -> List.for_all (fun (i, s) -> s = string_of_int i) l) table

let () =
  let before = threads () in
  let kept = list 20_000 in
  Gc.full_major ();
  Check.it "two threads at least" (threads () >= before + 2);
  Check.it "what lives is there" (holds 20_000 kept);
  Check.int "the first domain that is spawned is 1" 1 (Domain.join (Domain.spawn (fun () -> (Domain.self () :> int))));
  Check.it "while the program changes what is marked" (churn ());
  let live = (Gc.stat ()).live_words in
  ignore (Sys.opaque_identity (list 40_000));
  let again = (Gc.stat ()).live_words in
  Check.between "garbage is garbage" (live - 1000) (live + 1000) again;
  let weak = Weak.create 1000 in
  for i = 0 to 999 do Weak.set weak i (Some (ref i)) done;
  Gc.full_major ();
  Check.it "weak pointers are cleared" (not (List.exists (Weak.check weak) (List.init 1000 Fun.id)));
  let q = Gc.quick_stat () in
  Check.int "heap = live + free + fragments" q.heap_words (q.live_words + q.free_words + q.fragments);
  Gc.compact ();
  Check.it "what lives is there after a compaction" (holds 20_000 kept)
