(* SPDX-License-Identifier: MIT *)
(* What the libraries' tests use of OUnit (its interface, none of its code): runs all, prints one line for each. *)

type test = Case of string * (unit -> unit) | Group of string * test list

exception Failed of string

let ( >:: ) name f = Case (name, f)
let ( >::: ) name tests = Group (name, tests)
let assert_failure text = raise (Failed text)
let assert_string text = if text <> "" then assert_failure text
let assert_bool text holds = if not holds then assert_failure text
let ( @? ) = assert_bool

let assert_equal ?(cmp = ( = )) ?(printer = fun _ -> "?") ?(msg = "") wanted got =
  if not (cmp wanted got) then assert_failure (Printf.sprintf "%s: expected %s, got %s" msg (printer wanted) (printer got))

let assert_raises ?(msg = "") wanted f =
  match f () with
  | exception got ->
    if got <> wanted then
      assert_failure (Printf.sprintf "%s: expected %s, got %s" msg (Printexc.to_string wanted) (Printexc.to_string got))
  | _ -> assert_failure (Printf.sprintf "%s: expected %s" msg (Printexc.to_string wanted))

let skip_if skip _ = if skip then raise Exit

let run_test_tt_main test =
  let failed = ref 0 in
  let rec run path = function
    | Group (name, tests) -> List.iter (run (path ^ name ^ ": ")) tests
    | Case (name, f) ->
      let outcome =
        match f () with
        | () -> "passed"
        | exception Exit -> "skipped"
        | exception e -> incr failed; "FAILED " ^ (match e with Failed text -> text | e -> Printexc.to_string e)
      in
      Printf.printf "%s%s %s\n%!" path name outcome
  in
  run "" test;
  if !failed > 0 then exit 1
