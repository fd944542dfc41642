(* SPDX-License-Identifier: MIT *)
(* flags: -inline 100 *)
(* Code without debugging information: places that raise have no frame descriptor. *)
let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
let bounds a i = match a.(i) with _ -> false | exception Invalid_argument s -> s = "index out of bounds"
let () =
  Printexc.record_backtrace true;
  check "bounds" (bounds [| 1; 2 |] (Sys.opaque_identity 2));
  check "negative" (bounds [| 1; 2 |] (Sys.opaque_identity (-1)));
  check "string" (match (Sys.opaque_identity "abc").[Sys.opaque_identity 3] with _ -> false | exception Invalid_argument _ -> true);
  check "division" (match 1 / Sys.opaque_identity 0 with _ -> false | exception Division_by_zero -> true);
  for _ = 1 to 10_000 do
    ignore (try (Sys.opaque_identity [| 1 |]).(Sys.opaque_identity 5) with Invalid_argument s -> String.length (String.concat s [ "a"; "b" ]))
  done;
  check "repeated" true;
  print_string (try (Sys.opaque_identity [| 1 |]).(Sys.opaque_identity 5) |> string_of_int with _ -> Printexc.get_backtrace ())
