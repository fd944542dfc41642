(* SPDX-License-Identifier: MIT *)
(* Strings: lines are made, scanned by the character, cut, folded, searched, escaped and put together. *)
let line i = String.concat "," [ string_of_int i; "user" ^ string_of_int (i * 7919 land 4095); String.make (i land 15) 'x'; "end" ]

let text lines =
  let b = Buffer.create 100 in
  for i = 1 to lines do
    Buffer.add_string b (line i);
    Buffer.add_char b '\n'
  done;
  Buffer.contents b

let hash s =
  let h = ref 5381 in
  String.iter (fun c -> h := ((!h * 33) lxor Char.code c) land 0x3fff_ffff) s;
  !h

let count_words s =
  let n = ref 0 and inside = ref false in
  for i = 0 to String.length s - 1 do
    match s.[i] with
    | 'a' .. 'z' | '0' .. '9' -> if not !inside then (incr n; inside := true)
    | _ -> inside := false
  done;
  !n

let is_at s pattern from =
  let rec same i = i = String.length pattern || (s.[from + i] = pattern.[i] && same (i + 1)) in
  same 0

let occurrences s pattern =
  let n = ref 0 in
  for i = 0 to String.length s - String.length pattern do
    if is_at s pattern i then incr n
  done;
  !n

let reverse s = String.init (String.length s) (fun i -> s.[String.length s - 1 - i])

let rot13 s =
  let turn base c = Char.chr (base + ((Char.code c - base + 13) mod 26)) in
  String.map (function 'a' .. 'z' as c -> turn 97 c | 'A' .. 'Z' as c -> turn 65 c | c -> c) s

let () =
  let sum = ref 0 in
  for _ = 1 to 8 do
    let t = text 4000 in
    let fields = List.concat_map (String.split_on_char ',') (String.split_on_char '\n' t) in
    let numbers = List.filter_map int_of_string_opt fields in
    let sorted = List.sort_uniq String.compare (List.map String.uppercase_ascii fields) in
    sum := !sum + count_words t + occurrences t "user12" + hash (reverse t) + hash (rot13 t) + hash (String.escaped t);
    sum := !sum + List.fold_left ( + ) 0 numbers + hash (String.concat ";" sorted);
    List.iter (fun f -> if String.starts_with ~prefix:"user" f then sum := !sum + String.length (String.trim (f ^ "  "))) fields
  done;
  Printf.printf "%d\n" !sum
