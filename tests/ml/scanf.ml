(* SPDX-License-Identifier: MIT *)
(* Scanf. *)
let catch f = try f () with Scanf.Scan_failure m -> print_endline ("Scan_failure " ^ m) | Failure m -> print_endline ("Failure " ^ m) | End_of_file -> print_endline "End_of_file"
let () =
  let open Scanf in
  sscanf "12 abc 3.5 x" "%d %s %f %c" (fun d s f c -> Printf.printf "%d %s %g %c\n" d s f c);
  sscanf "0x1F 017 0b11" "%i %o %i" (Printf.printf "%d %d %d\n");
  sscanf "key=value;rest" "%[a-z]=%[^;];%s" (Printf.printf "%s %s %s\n");
  sscanf "\"quoted \\n\" 'c' true" "%S %C %B" (Printf.printf "%S %C %B\n");
  sscanf "12345" "%2d%3d" (Printf.printf "%d %d\n");
  sscanf "  7" " %d%n" (Printf.printf "%d %d\n");
  sscanf "5L 6" "%LdL %nd" (fun a b -> Printf.printf "%Ld %nd\n" a b);
  catch (fun () -> sscanf "abc" "%d" ignore);
  catch (fun () -> sscanf "" "%d" ignore);
  catch (fun () -> sscanf "1 2" "%d,%d" (fun _ _ -> ()));
  sscanf "a:b" "%s@:%s" (Printf.printf "%s %s\n");
  sscanf "x1y2" "x%dy%d%!" (Printf.printf "%d %d\n");
  let ib = Scanning.from_string "1 2 3 4 5" in
  let rec sum acc = match bscanf ib " %d" (fun x -> x) with x -> sum (acc + x) | exception End_of_file -> acc in
  Printf.printf "%d\n" (sum 0);
  Printf.printf "%S %d\n" (unescaped "a\\tb") (sscanf_format "\"%d\"" "%d" (fun f -> sscanf "9" f (fun x -> x)));
  sscanf "1e3 -0x1p3" "%f %h" (fun a b -> Printf.printf "%g %g\n" a b)
