(* SPDX-License-Identifier: MIT *)
(* runparam: b *)
(* The backtrace of an uncaught exception, as OCAMLRUNPARAM=b asks for it. *)
let rec f n = if n = 0 then failwith "deep" else 1 + f (n - 1)
let () = List.iter (fun n -> Printf.printf "%d\n" (try f n with Not_found -> 0)) [ 3 ]
