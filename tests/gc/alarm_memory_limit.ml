(* SPDX-License-Identifier: MIT *)
(* The documentation's run_with_memory_limit does as its text says. *)
let run_with_memory_limit (limit : int) (f : unit -> 'a) : 'a =
  let limit_memory () =
    let mem = Gc.(quick_stat ()).heap_words in
    if mem / (1024 * 1024) > limit / (Sys.word_size / 8) then raise Out_of_memory in
  let alarm = Gc.create_alarm limit_memory in
  Fun.protect f ~finally:(fun () -> Gc.delete_alarm alarm ; Gc.compact ())

let rec grow acc n = if n = 0 then List.length acc else grow (Array.make 1000 n :: acc) (n - 1)

let () =
  Check.int "below the limit it runs to its end" 1000 (run_with_memory_limit 64 (fun () -> grow [] 1000));
  Check.raises "above it is stopped" Out_of_memory (fun () -> run_with_memory_limit 64 (fun () -> grow [] 100_000));
  Check.between "afterwards the heap is small again (words)" 0 2_000_000 (Gc.quick_stat ()).heap_words;
  (* Large garbage is no reason to stop. *)
  Check.int "garbage does not count" 3000
    (run_with_memory_limit 64 (fun () -> for i = 1 to 3000 do ignore (Sys.opaque_identity (Bytes.create 100_000)) done; 3000))
