(* SPDX-License-Identifier: MIT *)
(* Channels shared by threads: each operation is whole; a thread that ends or raises holds none. *)
let () =
  let name = Filename.temp_file "bac" "chan" in
  let oc = open_out name in
  let ts = List.init 6 (fun i -> Thread.create (fun () ->
    for j = 1 to 400 do
      output_string oc (Printf.sprintf "%d %s\n" i (String.make (j mod 60) (Char.chr (97 + i))));
      if j mod 50 = 0 then flush oc
    done) ()) in
  List.iter Thread.join ts;
  close_out oc;
  let ic = open_in name in
  let counts = Array.make 6 0 and wrong = ref 0 in
  (try while true do
    let l = input_line ic in
    let i = int_of_string (String.sub l 0 1) in
    if String.exists (fun c -> c <> Char.chr (97 + i)) (String.sub l 2 (String.length l - 2)) then incr wrong;
    counts.(i) <- counts.(i) + 1
  done with End_of_file -> ());
  close_in ic;
  Sys.remove name;
  Array.iteri (Printf.printf "%d: %d\n") counts;
  Printf.printf "wrong %d\n" !wrong

(* One reads a pipe that another writes; marshalled values cross it while others use the same channel's lock. *)
let () =
  let r, w = Unix.pipe () in
  let ic = Unix.in_channel_of_descr r and oc = Unix.out_channel_of_descr w in
  let writer = Thread.create (fun () ->
    for i = 1 to 200 do Marshal.to_channel oc (i, List.init i string_of_int) []; if i mod 7 = 0 then flush oc done;
    close_out oc) () in
  let sum = ref 0 in
  (try while true do let (i, l) : int * string list = Marshal.from_channel ic in sum := !sum + i + List.length l done
   with End_of_file -> ());
  Thread.join writer;
  close_in ic;
  Printf.printf "sum %d\n" !sum

(* A reader waits with the channel locked; closing is for others to wait. An exception gives the lock up. *)
let () =
  let r, w = Unix.pipe () in
  let oc = Unix.out_channel_of_descr w in
  Unix.close r;
  Sys.set_signal Sys.sigpipe Sys.Signal_ignore;
  let failed = Atomic.make 0 in
  let ts = List.init 4 (fun _ -> Thread.create (fun () -> output_string oc "x"; try flush oc with Sys_error _ -> Atomic.incr failed) ()) in
  List.iter Thread.join ts;
  (* How many depends on who finds the buffer already given up: on stock too. *)
  Printf.printf "failed %b\n" (Atomic.get failed > 0);
  close_out_noerr oc
