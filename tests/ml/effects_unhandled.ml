(* SPDX-License-Identifier: MIT *)
(* An effect that nobody handles ends the program as an uncaught exception. *)
type _ Effect.t += Lost : int -> unit Effect.t
let () = print_endline "before"; Effect.perform (Lost 3); print_endline "never"
