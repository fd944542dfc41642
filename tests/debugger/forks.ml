(* SPDX-License-Identifier: MIT *)
(* Only the process that the debugger follows prints: the order of two would be chance. *)
let loud = Sys.argv.(1)
let child () = if loud = "child" then print_endline "child"

let parent pid =
  ignore (Unix.waitpid [] pid);
  if loud = "parent" then print_endline "parent"

let () =
  match Unix.fork () with
  | 0 -> child ()
  | pid -> parent pid
