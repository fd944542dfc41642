(* SPDX-License-Identifier: MIT *)
(* Threads in several domains: the first waits for those of the others, numbers go on, a domain's end waits for its threads. *)
let () =
  ignore (Thread.id (Thread.self ()));
  let count = Atomic.make 0 in
  let body () = for _ = 1 to 300 do Atomic.incr count; ignore (List.init 20 string_of_int); Thread.yield () done in
  let spawn () = Domain.spawn (fun () ->
    let ts = List.init 3 (fun _ -> Thread.create body ()) in
    body ();
    List.iter Thread.join ts) in
  for _ = 1 to 3 do
    let ds = List.init 3 (fun _ -> spawn ()) in
    let ts = List.init 3 (fun _ -> Thread.create body ()) in
    List.iter Domain.join ds;
    List.iter Thread.join ts
  done;
  Printf.printf "count %d\n" (Atomic.get count)

(* Threads that are not joined have ended when their domain has. *)
let () =
  let late = Atomic.make 0 in
  Domain.join (Domain.spawn (fun () ->
    for _ = 1 to 4 do ignore (Thread.create (fun () -> Thread.delay 0.02; Atomic.incr late) ()) done));
  Printf.printf "late %d\n" (Atomic.get late)

(* A mutex and a condition between threads of different domains; joining a thread of another domain, and its first one. *)
let () =
  let m = Mutex.create () and c = Condition.create () in
  let place = ref None in
  let d = Domain.spawn (fun () ->
    let t = Thread.create (fun () -> Thread.delay 0.01) () in
    Mutex.lock m; place := Some (t, Thread.self ()); Condition.signal c; Mutex.unlock m) in
  Mutex.lock m;
  while !place = None do Condition.wait c m done;
  Mutex.unlock m;
  let t, first = Option.get !place in
  Thread.join t;
  Thread.join first;
  Domain.join d;
  print_endline "joined over domains"

(* Two domains' threads collect at once. *)
let () =
  let churn () = for i = 1 to 30 do ignore (Sys.opaque_identity (Array.init 2000 (fun j -> ref (i + j)))); if i mod 10 = 0 then Gc.full_major () done in
  let d = Domain.spawn (fun () -> List.iter Thread.join (List.init 2 (fun _ -> Thread.create churn ()))) in
  List.iter Thread.join (List.init 2 (fun _ -> Thread.create churn ()));
  Domain.join d;
  print_endline "collected"
