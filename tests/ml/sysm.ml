(* SPDX-License-Identifier: MIT *)
(* Sys: constants, files, environment, failures. *)
let catch f = try f () with Sys_error m -> print_endline m | Not_found -> print_endline "Not_found" | Invalid_argument m -> print_endline m
let () =
  Printf.printf "%s %d %b %d %s %b %b %b\n" Sys.os_type Sys.word_size Sys.big_endian Sys.int_size Sys.ocaml_version Sys.unix Sys.win32 Sys.cygwin;
  Printf.printf "%d %d %d\n" Sys.max_array_length Sys.max_floatarray_length (Array.length Sys.argv);
  print_endline (match Sys.backend_type with Bytecode -> "bytecode" | Native -> "native" | Other s -> s);
  catch (fun () -> print_endline (Sys.getenv "BACTRIAN_NO_SUCH_VARIABLE")); Printf.printf "%b\n" (Sys.getenv_opt "PATH" <> None);
  let dir = Filename.temp_dir "bac" "dir" in
  Printf.printf "%b %b\n" (Sys.file_exists dir) (Sys.is_directory dir);
  let file = Filename.concat dir "f.txt" in
  Out_channel.with_open_text file (fun oc -> output_string oc "hello");
  Printf.printf "%b %b %s\n" (Sys.file_exists file) (Sys.is_regular_file file) (String.concat "," (Array.to_list (Sys.readdir dir)));
  Sys.rename file (file ^ "2"); Printf.printf "%b\n" (Sys.file_exists file); Sys.remove (file ^ "2"); Sys.mkdir (Filename.concat dir "sub") 0o755; Sys.rmdir (Filename.concat dir "sub"); Sys.rmdir dir;
  catch (fun () -> Sys.remove "/no/such/file"); catch (fun () -> Sys.rename "/no/such/a" "/no/such/b"); catch (fun () -> ignore (Sys.readdir "/no/such")); catch (fun () -> Sys.chdir "/no/such"); catch (fun () -> ignore (Sys.is_directory "/no/such")); catch (fun () -> Sys.mkdir "/proc/x" 0o755); catch (fun () -> ignore (open_in "/no/such")); catch (fun () -> ignore (open_in "a\000b"));
  let here = Sys.getcwd () in
  Sys.chdir "/"; print_endline (Sys.getcwd ()); Sys.chdir here;
  Printf.printf "%d %d %d\n" (Sys.command "exit 3") (Sys.command "true") (Sys.command "echo from the shell");
  Printf.printf "%b %b\n" (Sys.time () >= 0.) (Sys.time () < 1000.);
  Printf.printf "%d %s\n" Sys.sigint (Filename.quote "it's"); print_endline (Filename.basename "/a/b.c" ^ Filename.extension "x.tar.gz" ^ Filename.chop_suffix "a.ml" ".ml");
  Printf.printf "%d %b\n" (Sys.opaque_identity 3) (Sys.runtime_variant () = "" || true);
  Printf.printf "%s\n" (Filename.basename Sys.argv.(0))
