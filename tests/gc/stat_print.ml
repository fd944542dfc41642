(* SPDX-License-Identifier: MIT *)
(* FIELD S6. print_stat: stock's lines in stock's order, each with a figure, and those that OCaml 5 leaves 0 are none. *)

let wanted =
  [ "minor_collections"; "major_collections"; "compactions"; "forced_major_collections"; ""; "minor_words"; "promoted_words";
    "major_words"; ""; "top_heap_words"; "heap_words"; "live_words"; "free_words"; "largest_free"; "fragments"; "";
    "live_blocks"; "free_blocks"; "heap_chunks" ]

let () =
  let kept = List.init 10_000 string_of_int in
  Gc.compact ();
  ignore (Sys.opaque_identity (List.init 10_000 string_of_int));
  let name = Filename.temp_file "stat" ".txt" in
  Out_channel.with_open_text name Gc.print_stat;
  let lines = In_channel.with_open_text name In_channel.input_lines in
  Sys.remove name;
  let field line = match String.index_opt line ':' with Some i -> String.sub line 0 i | None -> line in
  let figure line =
    match String.index_opt line ':' with
    | Some i -> float_of_string_opt (String.trim (String.sub line (i + 1) (String.length line - i - 1)))
    | None -> Some 1.
  in
  Check.string "the fields in stock's order" (String.concat "," wanted) (String.concat "," (List.map field lines));
  Check.string "none is missing or 0" "" (String.concat "," (List.filter (fun l -> match figure l with Some f -> f <= 0. | None -> true) lines));
  ignore (Sys.opaque_identity kept)
