(* SPDX-License-Identifier: MIT *)
(* FIELD M8. Unmarshalling in a loop keeps to the limit, and does not mark more than it must. *)
(* runparam: Xlimit=32M *)
(* variants: no-stress *)
let megabyte = 1024 * 1024

let () =
  let data = Marshal.to_string (List.init 50_000 (fun i -> (i, string_of_int i))) [] in
  let sum = ref 0 in
  for _ = 1 to 60 do
    let l : (int * string) list = Marshal.from_string data 0 in
    sum := !sum + List.length l
  done;
  let s = Gc.quick_stat () in
  Check.int "all of them are read" (60 * 50_000) !sum;
  Check.between "the heap stays small" 0 32 (s.Gc.top_heap_words * 8 / megabyte);
  Check.between "cycles" 5 120 s.Gc.major_collections;
  let held = ref [] in
  Check.raises "holding them" Out_of_memory
    (fun () -> while true do held := (Marshal.from_string data 0 : (int * string) list) :: !held done);
  Check.between "held until then" 4 12 (List.length !held);
  Check.int "they are whole" 50_000 (List.length (List.hd !held))
