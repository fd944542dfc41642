(* SPDX-License-Identifier: MIT *)
(* FIELD M2. The example of Gc.create_alarm's documentation, word for word, does what its text says: it interrupts a function
   that holds more than the limit, and none that drops what it allocates. *)
(* variants: no-stress *)
let run_with_memory_limit (limit : int) (f : unit -> 'a) : 'a =
  let limit_memory () =
    let mem = Gc.(quick_stat ()).heap_words in
    if mem / (1024 * 1024) > limit / (Sys.word_size / 8) then
      raise Out_of_memory
  in
  let alarm = Gc.create_alarm limit_memory in
  Fun.protect f ~finally:(fun () -> Gc.delete_alarm alarm ; Gc.compact ())

let megabyte = 1024 * 1024
let top () = (Gc.quick_stat ()).Gc.top_heap_words * 8 / megabyte
let dropped n = for _ = 1 to n do ignore (Sys.opaque_identity (Bytes.create megabyte)) done; n

let held n =
  let l = ref [] in
  for _ = 1 to n do l := Bytes.create megabyte :: !l done;
  List.length !l

let () =
  Check.int "1 MB blocks that are dropped, under a limit of 40 MB" 1000 (run_with_memory_limit 40 (fun () -> dropped 1000));
  Check.between "the heap stays small" 0 30 (top ());
  Check.int "as many after its compaction" 1000 (dropped 1000);
  Check.between "the heap is still small" 0 30 (top ());
  Check.raises "300 MB held under a limit of 40 MB" Out_of_memory (fun () -> run_with_memory_limit 40 (fun () -> held 300));
  Check.between "it is interrupted in time" 40 120 (top ());
  Check.int "20 MB held under a limit of 40 MB" 20 (run_with_memory_limit 40 (fun () -> held 20));
  Check.int "a limit again, inside" 1000
    (run_with_memory_limit 100 (fun () -> run_with_memory_limit 40 (fun () -> dropped 1000)))
