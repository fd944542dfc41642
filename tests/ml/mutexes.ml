(* SPDX-License-Identifier: MIT *)
(* Mutex, Condition, Semaphore across domains. *)
let catch f = try f () with Sys_error m -> print_endline ("Sys_error " ^ m)
let () =
  let m = Mutex.create () and n = ref 0 in
  let ds = List.init 4 (fun _ -> Domain.spawn (fun () -> for _ = 1 to 2000 do Mutex.protect m (fun () -> n := !n + 1; ignore (ref !n)) done)) in
  List.iter Domain.join ds; Printf.printf "%d\n" !n;
  Printf.printf "%b %b\n" (Mutex.try_lock m) (Mutex.try_lock m); Mutex.unlock m;
  Mutex.lock m; catch (fun () -> Mutex.lock m); Mutex.unlock m; catch (fun () -> Mutex.unlock m);
  let c = Condition.create () and q = Queue.create () and full = Condition.create () in
  let producer = Domain.spawn (fun () -> for i = 1 to 2000 do Mutex.lock m; while Queue.length q >= 10 do Condition.wait full m done; Queue.push i q; Condition.signal c; Mutex.unlock m done) in
  let consumer () = let sum = ref 0 in for _ = 1 to 1000 do Mutex.lock m; while Queue.is_empty q do Condition.wait c m done; sum := !sum + Queue.pop q; Condition.signal full; Mutex.unlock m done; !sum in
  let a = Domain.spawn consumer and b = Domain.spawn consumer in
  Domain.join producer; Printf.printf "%d\n" (let x = Domain.join a in x + Domain.join b);
  let go = ref false in
  let ws = List.init 3 (fun i -> Domain.spawn (fun () -> Mutex.lock m; while not !go do Condition.wait c m done; Mutex.unlock m; i)) in
  Mutex.lock m; go := true; Condition.broadcast c; Mutex.unlock m;
  Printf.printf "%d\n" (List.fold_left (fun s d -> s + Domain.join d) 0 ws);
  let s = Semaphore.Counting.make 2 in
  Semaphore.Counting.acquire s; Printf.printf "%d %b %b\n" (Semaphore.Counting.get_value s) (Semaphore.Counting.try_acquire s) (Semaphore.Counting.try_acquire s);
  Semaphore.Counting.release s;
  let bsem = Semaphore.Binary.make false in
  let d = Domain.spawn (fun () -> Semaphore.Binary.acquire bsem; "acquired") in
  Gc.full_major (); Semaphore.Binary.release bsem; print_endline (Domain.join d);
  (try ignore (Semaphore.Counting.make (-1)) with Invalid_argument m -> print_endline m);
  Printf.printf "%d\n" (compare m m)
