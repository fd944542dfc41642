(* SPDX-License-Identifier: MIT *)
(* runparam: b,l=100k *)
(* What the stack looks like to a backtrace, for each way to raise. *)
open Effect
open Effect.Deep
type _ Effect.t += E : int -> int Effect.t
let show name f = 
  Printf.printf "== %s\n" name;
  (match f () with
  | () -> print_endline "no exception"
  | exception e -> let bt = Printexc.get_backtrace () in Printf.printf "%s\n%s" (Printexc.to_string e) bt)
let rec down n f = if n = 0 then f () else 1 + down (n - 1) f
let[@inline never] id x = x
let () =
  show "raise" (fun () -> ignore (down 3 (fun () -> failwith "x")));
  show "reraise" (fun () -> try ignore (down 3 (fun () -> failwith "x")) with Failure _ as e -> ignore (id 1); raise e);
  show "reraise other" (fun () -> try ignore (down 3 (fun () -> failwith "x")) with Failure _ -> raise Exit);
  show "notrace" (fun () -> try ignore (down 3 (fun () -> raise_notrace Exit)) with e -> raise_notrace e);
  show "division" (fun () -> ignore (down 2 (fun () -> 1 / id 0)));
  show "modulo" (fun () -> ignore (down 2 (fun () -> 1 mod id 0)));
  show "bounds" (fun () -> ignore (down 2 (fun () -> [|1|].(id 3))));
  show "string" (fun () -> ignore (down 2 (fun () -> int_of_string (id "zz"))));
  show "hashtbl" (fun () -> ignore (down 2 (fun () -> Hashtbl.find (Hashtbl.create 1) 1)));
  show "overflow" (fun () -> let rec f n = 1 + f (n+1) in try ignore (f 0) with Stack_overflow -> raise Exit);
  show "unhandled" (fun () -> ignore (down 2 (fun () -> perform (E 1))));
  show "fiber raise" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> failwith "fib")) () { effc = fun _ -> None }));
  show "unhandled nested" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> perform (E 1))) () { effc = fun _ -> None }));
  show "discontinue" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> perform (E 1))) ()
     { effc = fun (type a) (e : a Effect.t) -> match e with E _ -> Some (fun (k : (a, _) continuation) -> discontinue k Exit) | _ -> None }));
  show "twice" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> perform (E 1))) ()
     { effc = fun (type a) (e : a Effect.t) -> match e with E _ -> Some (fun (k : (a, _) continuation) -> ignore (continue k 1); 1 + continue k 2) | _ -> None }));
  show "twice tail" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> perform (E 1))) ()
     { effc = fun (type a) (e : a Effect.t) -> match e with E _ -> Some (fun (k : (a, _) continuation) -> ignore (continue k 1); continue k 2) | _ -> None }));
  show "callstack" (fun () -> ignore (down 2 (fun () -> print_string (Printexc.raw_backtrace_to_string (Printexc.get_callstack 10)); 0)));
  show "callstack in fiber" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> print_string (Printexc.raw_backtrace_to_string (Printexc.get_callstack 20)); 0)) () { effc = fun _ -> None }));
  show "cont callstack" (fun () -> ignore (try_with (fun () -> down 2 (fun () -> perform (E 1))) ()
     { effc = fun (type a) (e : a Effect.t) -> match e with E _ -> Some (fun (k : (a, _) continuation) -> print_string (Printexc.raw_backtrace_to_string (get_callstack k 20)); continue k 1) | _ -> None }));
  show "finaliser" (fun () -> Gc.finalise (fun _ -> failwith "in finaliser") (ref 1); Gc.full_major ());
  show "compare" (fun () -> ignore (down 1 (fun () -> compare (fun x -> x) (fun x -> x + 1))));
  show "protect" (fun () -> Fun.protect ~finally:(fun () -> ignore (try failwith "inner" with _ -> 0)) (fun () -> ignore (down 1 (fun () -> failwith "outer"))));
  show "lazy" (fun () -> let l = lazy (failwith "lazy") in (try Lazy.force l with _ -> ()); Lazy.force l);
  at_exit (fun () -> print_endline "at_exit");
  ignore (down 3 (fun () -> if id 1 = 1 then raise Not_found else 0))
