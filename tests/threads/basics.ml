(* SPDX-License-Identifier: MIT *)
(* Creating, joining, identities, ends of threads, handlers of uncaught exceptions, thread-local order of output. *)
let line fmt = Printf.ksprintf (fun s -> print_string (s ^ "\n"); flush stdout) fmt

let () =
  line "main is %d" (Thread.id (Thread.self ()));
  let ids = Array.make 5 (-1) in
  let ts = Array.init 5 (fun i -> Thread.create (fun () -> ids.(i) <- Thread.id (Thread.self ())) ()) in
  Array.iter Thread.join ts;
  Array.iteri (fun i t -> line "thread %d: %b" i (ids.(i) = Thread.id t)) ts;
  Thread.join ts.(0);
  line "joined twice"

let () =
  let t = Thread.create (fun () -> line "before"; ignore (Thread.exit () : unit); line "never") () in
  Thread.join t;
  (try ignore (Thread.exit () : unit) with Thread.Exit -> line "Exit in main")

(* The default handler prints; one's own replaces it; one that raises is told of. *)
let () =
  Printexc.record_backtrace false;
  Thread.join (Thread.create (fun () -> failwith "first") ());
  Thread.set_uncaught_exception_handler (fun e -> line "handler: %s" (Printexc.to_string e));
  Thread.join (Thread.create (fun () -> raise Not_found) ());
  Thread.set_uncaught_exception_handler (fun e -> raise Exit);
  Thread.join (Thread.create (fun () -> invalid_arg "second") ());
  Thread.set_uncaught_exception_handler Thread.default_uncaught_exception_handler

(* Each thread has its own exception backtrace. *)
let rec deep n = if n = 0 then raise Exit else 1 + deep (n - 1)
let () =
  Printexc.record_backtrace true;
  let go = Mutex.create () in
  Mutex.lock go;
  let trace = ref "" in
  let t = Thread.create (fun () ->
    try ignore (deep 3) with Exit ->
      Mutex.lock go;
      trace := Printexc.get_backtrace ()) () in
  (try raise Not_found with Not_found ->
     Thread.delay 0.05;
     Mutex.unlock go;
     Thread.join t;
     line "main: %d lines" (List.length (String.split_on_char '\n' (Printexc.get_backtrace ()))));
  line "thread: %d lines" (List.length (String.split_on_char '\n' !trace));
  Printexc.record_backtrace false

(* Waiting for each other. *)
let () =
  let m = Mutex.create () and c = Condition.create () in
  let turn = ref 0 in
  let body me () =
    for _ = 1 to 3 do
      Mutex.lock m;
      while !turn mod 3 <> me do Condition.wait c m done;
      line "turn of %d" me;
      incr turn;
      Condition.broadcast c;
      Mutex.unlock m
    done in
  List.iter Thread.join (List.init 3 (fun i -> Thread.create (body i) ()))

(* Channels of Event; the order is given by the program. *)
let () =
  let c = Event.new_channel () in
  let t = Thread.create (fun () -> for i = 1 to 5 do Event.sync (Event.send c i) done) () in
  for _ = 1 to 5 do line "received %d" (Event.sync (Event.receive c)) done;
  Thread.join t

(* What is buffered is written at the end, also where other threads still run. *)
let () =
  ignore (Thread.create (fun () -> while true do Thread.yield () done) ());
  at_exit (fun () -> print_string "at exit\n");
  print_string "not flushed\n"
