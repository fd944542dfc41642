(* SPDX-License-Identifier: MIT *)
(* Exceptions: nesting, re-raising, finally, patterns, payloads, local definitions. *)
exception Plain
exception With of int * string
exception Rec of { code : int; msg : string }
exception Wrapped of exn
let show f = print_endline (try string_of_int (f ()) with Plain -> "Plain" | With (n, s) -> Printf.sprintf "With %d %s" n s | Rec { code; msg } -> Printf.sprintf "Rec %d %s" code msg | Wrapped e -> "Wrapped " ^ Printexc.to_string e | e -> "other " ^ Printexc.to_string e)
let rec deep n = if n = 0 then raise (With (0, "bottom")) else 1 + deep (n - 1)
let rec handlers n = if n = 0 then raise Plain else try handlers (n - 1) with Not_found -> n
let () =
  show (fun () -> 1); show (fun () -> raise Plain); show (fun () -> raise (With (1, "w"))); show (fun () -> raise (Rec { code = 7; msg = "r" }));
  show (fun () -> try raise Plain with Plain -> raise (Wrapped Plain)); show (fun () -> deep 1000); show (fun () -> handlers 1000);
  show (fun () -> 1 / (Sys.opaque_identity 0)); show (fun () -> List.hd []); show (fun () -> List.find (( = ) 3) []); show (fun () -> int_of_string "x"); show (fun () -> assert false);
  show (fun () -> [| 1 |].(Sys.opaque_identity 1)); show (fun () -> failwith "f"); show (fun () -> invalid_arg "i"); show (fun () -> raise Exit); show (fun () -> raise End_of_file); show (fun () -> raise (Sys_error "s"));
  show (fun () -> raise (Match_failure ("f", 1, 2))); show (fun () -> (function 1 -> 2 | _ -> raise Stack_overflow) 3); show (fun () -> raise Out_of_memory);
  show (fun () -> Fun.protect ~finally:(fun () -> print_string "finally ") (fun () -> raise Plain));
  show (fun () -> Fun.protect ~finally:(fun () -> raise Exit) (fun () -> 1));
  show (fun () -> match raise Plain with x -> x | exception Plain -> 42);
  show (fun () -> match 5 with x when x > 3 -> x | _ | exception Plain -> 0);
  let exception Local of int in
  show (fun () -> try raise (Local 5) with Local n -> n * 2);
  let acc = ref 0 in
  for i = 1 to 10_000 do try if i mod 3 = 0 then raise (With (i, "")) else if i mod 3 = 1 then raise_notrace Plain else incr acc with With (n, _) -> acc := !acc + n | Plain -> decr acc done;
  Printf.printf "%d\n" !acc;
  let rec ping n = try if n = 0 then raise Exit else pong (n - 1) with Plain -> 0 and pong n = try ping n with Not_found -> 1 in
  show (fun () -> ping 100);
  List.iter (fun e -> print_endline (Printexc.to_string e)) [ Plain; With (1, "a\"b"); Rec { code = 1; msg = "m" }; Wrapped (With (2, "x")); Assert_failure ("f.ml", 1, 2); Not_found; Invalid_argument "x"; Failure "y" ]
