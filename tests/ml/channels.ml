(* SPDX-License-Identifier: MIT *)
(* Channels: text, binary, seeking, buffering, line reading, failures. *)
let catch f = try f () with Sys_error m -> print_endline m | End_of_file -> print_endline "eof" | Invalid_argument m -> print_endline m
let () =
  let file = Filename.temp_file "bac" ".txt" in
  let oc = open_out_bin file in
  for i = 1 to 5000 do Printf.fprintf oc "line %d\n" i done;
  output_char oc 'c'; output_byte oc 300; output_binary_int oc (-2); output_string oc "end"; output_substring oc "abcdef" 1 3; output oc (Bytes.of_string "xyz") 1 2;
  Printf.printf "%d %d\n" (pos_out oc) (out_channel_length oc); seek_out oc 2; output_string oc "XX"; close_out oc;
  catch (fun () -> output_string oc "closed"); close_out_noerr oc;
  let ic = open_in_bin file in
  Printf.printf "%d %s %s\n" (in_channel_length ic) (input_line ic) (input_line ic);
  let n = ref 2 in
  while !n < 5000 do ignore (input_line ic); incr n done;
  Printf.printf "%c %d %d\n" (input_char ic) (input_byte ic) (input_binary_int ic);
  print_endline (really_input_string ic 8); catch (fun () -> ignore (input_char ic)); catch (fun () -> ignore (input_line ic)); catch (fun () -> ignore (really_input_string ic 5));
  seek_in ic 10; Printf.printf "%d %S %d\n" (pos_in ic) (input_line ic) (pos_in ic);
  let b = Bytes.make 20 '.' in
  let k = input ic b 5 10 in
  Printf.printf "%d %S\n" k (Bytes.to_string b); catch (fun () -> ignore (input ic b 15 10)); catch (fun () -> really_input ic b 0 30);
  close_in ic; catch (fun () -> ignore (input_char ic));
  let long = String.make 200_000 'q' in
  Out_channel.with_open_text file (fun oc -> output_string oc long; output_char oc '\n'; output_string oc "last");
  In_channel.with_open_text file (fun ic -> Printf.printf "%d " (String.length (input_line ic)); print_endline (input_line ic); print_endline (match In_channel.input_line ic with None -> "none" | Some s -> s));
  Printf.printf "%d\n" (String.length (In_channel.with_open_bin file In_channel.input_all));
  let append = open_out_gen [ Open_append; Open_creat; Open_binary ] 0o644 file in
  output_string append "!"; flush append; Printf.printf "%d\n" (out_channel_length append); close_out append;
  (try close_out (open_out_gen [ Open_excl; Open_creat; Open_wronly ] 0o600 file) with Sys_error _ -> print_endline "exists");
  In_channel.with_open_bin file (fun ic -> Printf.printf "%s %Ld\n" (String.concat "" (List.map (String.make 1) (List.filter_map (fun _ -> In_channel.input_char ic) [ 1; 2; 3 ]))) (In_channel.length ic));
  Out_channel.with_open_bin file (fun oc -> Out_channel.set_buffered oc false; output_string oc "unbuffered"; Printf.printf "%b %d\n" (Out_channel.is_buffered oc) (String.length (In_channel.with_open_bin file In_channel.input_all)));
  Sys.remove file;
  prerr_string "to stderr\n"; print_string "no newline"; flush stdout; print_newline ();
  Printf.printf "%b\n" (In_channel.input_char stdin = None);
  Printf.printf "%b\n" (stdout = stdout);
  for _ = 1 to 300 do let f = open_in "/dev/null" in ignore (Sys.opaque_identity f); close_in f done;
  catch (fun () -> let o = open_out "/dev/full" in (try output_string o "x"; flush o with e -> close_out_noerr o; raise e))
