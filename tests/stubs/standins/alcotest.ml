(* SPDX-License-Identifier: MIT *)
(* What the libraries' tests use of Alcotest (its interface, none of its code): runs all, prints one line for each. *)

type speed = [ `Quick | `Slow ]
type 'a test_case = string * speed * ('a -> unit)
type 'a testable = { print : 'a -> string; equal : 'a -> 'a -> bool }

exception Failed of string

let testable pp equal = { print = Format.asprintf "%a" pp; equal }
let of_print print = { print; equal = ( = ) }
let int = of_print string_of_int
let int32 = of_print Int32.to_string
let int64 = of_print Int64.to_string
let bool = of_print string_of_bool
let char = of_print (Printf.sprintf "%C")
let string = of_print (Printf.sprintf "%S")
let unit = of_print (fun () -> "()")

let option t =
  { print = (function None -> "None" | Some x -> "Some " ^ t.print x); equal = Option.equal t.equal }

let list t = { print = (fun l -> String.concat "; " (List.map t.print l)); equal = List.equal t.equal }

let pair t u =
  { print = (fun (x, y) -> t.print x ^ ", " ^ u.print y); equal = (fun (x, y) (x', y') -> t.equal x x' && u.equal y y') }

let fail text = raise (Failed text)

let check t text wanted got =
  if not (t.equal wanted got) then fail (Printf.sprintf "%s: expected %s, got %s" text (t.print wanted) (t.print got))

let check_raises text wanted f =
  match f () with
  | exception got -> if got <> wanted then fail (Printf.sprintf "%s: got %s" text (Printexc.to_string got))
  | () -> fail (text ^ ": no exception")

let test_case name speed f : _ test_case = (name, speed, f)

let run name groups =
  let failed = ref 0 in
  let run_case group i (text, _, f) =
    let outcome =
      match f () with
      | () -> "passed"
      | exception e -> incr failed; "FAILED " ^ (match e with Failed text -> text | e -> Printexc.to_string e)
    in
    Printf.printf "%s: %s %d %s %s\n%!" name group i text outcome
  in
  List.iter (fun (group, cases) -> List.iteri (run_case group) cases) groups;
  if !failed > 0 then exit 1
