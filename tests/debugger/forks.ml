(* SPDX-License-Identifier: MIT *)
let child () = print_endline "child"

let parent pid =
  ignore (Unix.waitpid [] pid);
  print_endline "parent"

let () =
  match Unix.fork () with
  | 0 -> child ()
  | pid -> parent pid
