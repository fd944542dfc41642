(* SPDX-License-Identifier: MIT *)
(* Many threads that allocate, raise, recurse deeply and perform effects, while each is interrupted by the others: each must
   come to what it comes to alone. *)
type _ Effect.t += Ask : int -> int Effect.t

let answer n f =
  Effect.Deep.match_with f ()
    { retc = (fun x -> x); exnc = raise;
      effc = (fun (type a) (e : a Effect.t) -> match e with
        | Ask i -> Some (fun (k : (a, _) Effect.Deep.continuation) ->
            if i land 15 = 0 then Thread.yield ();
            Effect.Deep.continue k (i * n))
        | _ -> None) }

let rec build n = if n = 0 then [] else string_of_int n :: build (n - 1)
let rec tree n = if n = 0 then `Leaf else `Node (tree (n - 1), ref n, tree (n - 1))
let rec weight = function `Leaf -> 1 | `Node (a, r, b) -> weight a + !r + weight b

let work seed =
  let total = ref 0 in
  for round = 1 to 4 do
    total := !total + List.fold_left (fun a s -> a + String.length s) 0 (build (2000 + seed));
    total := !total + weight (tree 8);
    total := !total + answer seed (fun () ->
      let sum = ref 0 in
      for i = 1 to 60 do sum := !sum + Effect.perform (Ask i) + List.length (build 5) done;
      !sum);
    (try for i = 0 to 1000 do if i = 500 then failwith (String.make 10 'x') else ignore (ref i) done
     with Failure s -> total := !total + String.length s);
    let h = Hashtbl.create 10 in
    for i = 0 to 200 do Hashtbl.replace h (string_of_int (i mod 50)) (Array.make 20 i) done;
    total := !total + Hashtbl.length h;
    Thread.yield ()
  done;
  !total

let () =
  let results = Array.make 16 0 in
  let threads = List.init 16 (fun i -> Thread.create (fun () -> results.(i) <- work i) ()) in
  List.iter Thread.join threads;
  Gc.compact ();
  Array.iteri (fun i r -> Printf.printf "%d: %d %b\n" i r (r = work i)) results;
  (* Threads that come and go. *)
  let sum = Atomic.make 0 in
  for _ = 1 to 40 do
    let ts = List.init 5 (fun i -> Thread.create (fun () -> ignore (Atomic.fetch_and_add sum (List.length (build 50)))) ()) in
    List.iter Thread.join ts
  done;
  Printf.printf "%d\n" (Atomic.get sum);
  (* A thread whose stack is deep while others collect. *)
  let rec down n = if n = 0 then (Gc.minor (); Thread.yield (); 0) else 1 + down (n - 1) + String.length (String.make 0 'c') in
  let ts = List.init 4 (fun _ -> Thread.create (fun () -> ignore (down 20000)) ()) in
  List.iter Thread.join ts;
  print_endline "deep"
