(* SPDX-License-Identifier: MIT *)
(* Stock's stubs of Unix and Str, as they are. The suite links Str too. *)
let () =
  Printf.printf "%b\n" (Str.string_match (Str.regexp "\\([a-z]+\\)-\\([0-9]+\\)") "abc-123" 0);
  Printf.printf "%s %s\n" (Str.matched_group 1 "abc-123") (Str.matched_group 2 "abc-123");
  print_endline (Str.global_replace (Str.regexp "[aeiou]") "<\\0>" "bactrian camels");
  print_endline (String.concat "|" (Str.split (Str.regexp "[ ,]+") "one, two,three four"))

let () =
  (try ignore (Unix.openfile "/nonexistent/x" [Unix.O_RDONLY] 0) with Unix.Unix_error (e, f, a) -> Printf.printf "%s %s %s\n" (Unix.error_message e) f a);
  let r, w = Unix.pipe ~cloexec:true () in
  let n = Unix.write_substring w "through a pipe" 0 14 in
  let b = Bytes.create 100 in
  Printf.printf "%d %s\n" n (Bytes.sub_string b 0 (Unix.read r b 0 100));
  let tm = Unix.gmtime 1000000000. in
  Printf.printf "%d-%02d-%02d %02d:%02d\n" (tm.tm_year + 1900) (tm.tm_mon + 1) tm.tm_mday tm.tm_hour tm.tm_min;
  (match Unix.fork () with 0 -> Unix._exit 3 | pid -> match Unix.waitpid [] pid with _, Unix.WEXITED c -> Printf.printf "child %d\n" c | _ -> ());
  let ic = Unix.open_process_in "echo from a shell" in
  print_endline (input_line ic);
  ignore (Unix.close_process_in ic);
  let a, b' = Unix.socketpair Unix.PF_UNIX Unix.SOCK_STREAM 0 in
  ignore (Unix.send_substring a "hi" 0 2 []);
  Printf.printf "%d\n" (Unix.recv b' b 0 10 []);
  let name = Filename.temp_file "bac" "map" in
  let fd = Unix.openfile name [Unix.O_RDWR] 0o600 in
  let map = Bigarray.array1_of_genarray (Unix.map_file fd Bigarray.char Bigarray.c_layout true [| 16 |]) in
  Bigarray.Array1.fill map 'z';
  Gc.full_major ();
  Printf.printf "%d %c\n" (Unix.fstat fd).Unix.st_size (let c = Bytes.create 1 in ignore (Unix.read fd c 0 1); Bytes.get c 0);
  Unix.close fd; Sys.remove name
