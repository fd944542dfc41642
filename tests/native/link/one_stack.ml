(* SPDX-License-Identifier: MIT *)
(* OCaml code that spins and reads freed memory, on the main fiber or, with an argument, on one of its own: perf takes samples
   there, and valgrind complains. *)
external freed : unit -> int ref = "ext_freed"
let p = freed ()
let[@inline never] leaf n =
  let k = ref 0 in
  for i = 1 to n do k := (!k * 3 + i) land 0xffff done;
  !k + !p
let[@inline never] middle n = leaf n + 1
let[@inline never] in_fiber n = middle n + 1
let[@inline never] handler n =
  1 + Effect.Deep.match_with in_fiber n { retc = (fun x -> x + 1); exnc = raise; effc = fun _ -> None }
let[@inline never] outer n = middle n + 1
let () =
  let n = int_of_string Sys.argv.(1) in
  ignore (Sys.opaque_identity (if Array.length Sys.argv > 2 then handler n else outer n))
