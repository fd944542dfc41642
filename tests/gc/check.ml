(* SPDX-License-Identifier: MIT *)
(* How the programs of this folder report: a line for each promise. *)

let is_native = Sys.backend_type = Sys.Native

let report name ok why =
  if ok then Printf.printf "ok %s\n%!" name else Printf.printf "not ok %s %s\n%!" name why

(* [it name condition] *)
let it name condition = report name condition ""

(* [equal name show expected got] *)
let equal name show expected got =
  report name (expected = got) (Printf.sprintf "expected %s, got %s" (show expected) (show got))

let int name expected got = equal name string_of_int expected got
let string name expected got = equal name (Printf.sprintf "%S") expected got

(* [between name least most got] *)
let between name least most got =
  report name (least <= got && got <= most) (Printf.sprintf "%d is not in %d .. %d" got least most)

(* [raises name exn f]: f () raises exactly exn. *)
let raises name exn f =
  match f () with
  | _ -> report name false "nothing was raised"
  | exception e -> report name (e = exn) ("raised " ^ Printexc.to_string e)
