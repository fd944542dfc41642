(* SPDX-License-Identifier: MIT *)
(* Strings: a text is made with formats and buffers, split, sorted, counted and put together again. *)
let line i = Printf.sprintf "%d\tuser%d@example.org\t%.3f\t%s" i (i * 7919 mod 4096) (float_of_int i /. 7.) (String.make (i land 31) 'x')

let text n =
  let b = Buffer.create 100 in
  for i = 1 to n do
    Probe.look ();
    Buffer.add_string b (line i);
    Buffer.add_char b '\n'
  done;
  Buffer.contents b

let words text =
  String.split_on_char '\n' text
  |> List.concat_map (fun l -> Probe.look (); String.split_on_char '\t' l)
  |> List.filter (fun w -> Probe.pass (); w <> "")

let by_bytes a b =
  Probe.pass ();
  String.compare a b

let () =
  let total = ref 0 in
  for _ = 1 to Probe.scale 9 do
    let words = words (text 30_000) in
    let counts = Hashtbl.create 100 in
    List.iter (fun w -> Probe.pass (); Hashtbl.replace counts w (1 + Option.value ~default:0 (Hashtbl.find_opt counts w))) words;
    let sorted = List.sort by_bytes (List.map String.uppercase_ascii words) in
    total := !total + Hashtbl.length counts + String.length (String.concat "," sorted)
  done;
  Probe.finish !total
