(* SPDX-License-Identifier: MIT *)
(* C called from OCaml called from C called from a fiber: a debugger stops in ext_stop. *)
external apply : ('a -> 'b) -> 'a -> 'b = "ext_apply"
external stop : int -> int = "ext_stop"
open Effect
open Effect.Deep
type _ Effect.t += E : int Effect.t
let[@inline never] leaf n = stop n + 1
let[@inline never] in_callback n = leaf n + 1
let[@inline never] calls_c n = apply in_callback n + 1
let[@inline never] in_fiber n = calls_c n + 1
let[@inline never] handler n = 1 + match_with in_fiber n { retc = (fun x -> x + 1); exnc = raise; effc = fun _ -> None }
let () = print_int (1 + handler 1)
