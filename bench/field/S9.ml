(* SPDX-License-Identifier: MIT *)
(* runparam: e=10 *)
(* Lost events: 100,000 events of the program through a ring of 1,024 words, read afterwards. In the file's header (bytes, 64-bit
   words) offset 40 is the offset of the rings' headers; a ring's header has first and past-the-last position, and Bactrian's third figure: events overwritten. *)
open Figures

type Runtime_events.User.tag += Tag
let event = Runtime_events.User.register "field" Tag Runtime_events.Type.unit

let word file at = seek_in file at; let b = really_input_string file 8 in Int64.to_int (String.get_int64_ne b 0)

let () =
  Runtime_events.start ();
  let path = Option.get (Runtime_events.path ()) in
  for _ = 1 to 100_000 do Runtime_events.User.write event () done;
  let cursor = Runtime_events.create_cursor None in
  let lost = ref 0 and read = ref 0 in
  let callbacks =
    Runtime_events.Callbacks.create ~lost_events:(fun _ n -> lost := !lost + n) ()
    |> Runtime_events.Callbacks.add_user_event Runtime_events.Type.unit (fun _ _ _ () -> incr read)
  in
  keep (Runtime_events.read_poll cursor callbacks None);
  let file = open_in_bin path in
  let ring = word file 40 in
  count "read_events" !read;
  count "library_says_lost" !lost;
  count "third_header_figure" (word file (ring + 16))
