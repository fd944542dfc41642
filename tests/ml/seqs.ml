(* SPDX-License-Identifier: MIT *)
(* Seq, List, Option, Result, Either, Fun, Queue, Stack, Dynarray. *)
let ints s = Seq.iter (Printf.printf "%d ") s; print_newline ()
let catch f = try f () with Invalid_argument m -> print_endline m | Not_found -> print_endline "Not_found" | Queue.Empty -> print_endline "Queue.Empty" | Stack.Empty -> print_endline "Stack.Empty" | Failure m -> print_endline m
let () =
  let nat = Seq.ints 0 in
  ints (Seq.take 10 (Seq.filter (fun x -> x mod 3 = 0) (Seq.map (fun x -> x * x) nat)));
  ints (Seq.take 5 (Seq.drop 10 nat)); ints (Seq.append (List.to_seq [ 1; 2 ]) (Array.to_seq [| 3 |])); ints (Seq.concat_map (fun n -> Seq.init n Fun.id) (Seq.take 5 nat));
  ints (Seq.unfold (fun (a, b) -> if a > 1000 then None else Some (a, (b, a + b))) (0, 1)); ints (Seq.take 8 (Seq.interleave (Seq.repeat 1) (Seq.iterate (( * ) 2) 1))); ints (Seq.map2 ( + ) (Seq.take 3 nat) (Seq.take 3 nat));
  Printf.printf "%d %b %d\n" (Seq.fold_left ( + ) 0 (Seq.take 101 nat)) (Seq.for_all (( < ) 0) (Seq.take 5 nat)) (Seq.length (Seq.take_while (( > ) 50) nat));
  let m = Seq.memoize (Seq.map (fun x -> print_string "*"; x) (Seq.take 3 nat)) in
  ints m; ints m;
  let once = Seq.once (Seq.take 2 nat) in
  ints once; (try ints once with Seq.Forced_twice -> print_endline "Forced_twice");
  let l = List.init 20 (fun i -> i * 37 mod 23) in
  let pl l = List.iter (Printf.printf "%d ") l; print_newline () in
  pl (List.sort compare l); pl (List.rev l); pl (List.sort_uniq compare (l @ l)); pl (List.filteri (fun i _ -> i mod 2 = 0) l); pl (List.concat [ l; [ 1 ] ]); pl (List.merge compare [ 1; 4 ] [ 2; 3 ]);
  let a, b = List.partition (fun x -> x > 10) l in
  pl a; pl b; Printf.printf "%d %d %b\n" (List.fold_left ( - ) 0 l) (List.fold_right ( - ) l 0) (List.mem 5 l);
  Printf.printf "%s\n" (String.concat "," (List.map2 (fun a b -> a ^ b) [ "a"; "b" ] [ "c"; "d" ])); catch (fun () -> ignore (List.map2 ( + ) [ 1 ] [])); catch (fun () -> ignore (List.nth l 50)); catch (fun () -> ignore (List.nth l (-1))); catch (fun () -> ignore (List.assoc 1 []));
  pl (List.of_seq (Seq.take 3 nat)); pl (List.concat_map (fun x -> [ x; x ]) [ 1; 2 ]); Printf.printf "%d\n" (List.compare_lengths l [ 1 ]);
  let q = Queue.create () in
  for i = 1 to 1000 do Queue.push i q; if i mod 3 = 0 then ignore (Queue.pop q) done;
  Printf.printf "%d %d %d\n" (Queue.length q) (Queue.peek q) (Queue.fold ( + ) 0 q); Queue.clear q; catch (fun () -> ignore (Queue.pop q));
  let s = Stack.create () in
  List.iter (fun x -> Stack.push x s) [ 1; 2; 3 ]; Printf.printf "%d %d\n" (Stack.pop s) (Stack.top s); Stack.clear s; catch (fun () -> ignore (Stack.pop s));
  let d = Dynarray.create () in
  for i = 1 to 1000 do Dynarray.add_last d (string_of_int i) done;
  Printf.printf "%s %s %d\n" (Dynarray.get d 500) (Dynarray.pop_last d) (Dynarray.length d); catch (fun () -> ignore (Dynarray.get d 5000));
  Printf.printf "%d %s\n" (Option.fold ~none:0 ~some:succ (Some 4)) (Result.fold ~ok:string_of_int ~error:Fun.id (Error "e")); Printf.printf "%b\n" (Either.is_left (Either.Left 1))
