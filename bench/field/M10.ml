(* SPDX-License-Identifier: MIT *)
(* No memory left: a list grows without end under a limit of 400 MB; the exit code of a program that catches Out_of_memory, drops the
   list and ends well (0), and how often it was told when it does so five times. Stock knows no limit but ulimit -v. *)
open Figures

let grow () =
  let held = ref [] in
  try while true do held := Array.make 100 0 :: !held done with Out_of_memory -> held := []

let () =
  match argument 1 with
  | Some "once" -> grow ()
  | Some _ -> for _ = 1 to 5 do grow () done
  | None ->
    count "exit_under_ulimit_v" (again "ulimit -v 700000;" "once");
    if Sys.getenv "FIELD_NAME" = "bactrian" then begin
      count "exit_under_Xlimit" (again "OCAMLRUNPARAM=Xlimit=400M" "once");
      count "exit_under_Xlimit_five_times" (again "OCAMLRUNPARAM=Xlimit=400M" "five")
    end
