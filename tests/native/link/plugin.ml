(* SPDX-License-Identifier: MIT *)
let state = ref []
let rec build n = if n = 0 then [] else string_of_int n :: build (n - 1)
let () = Gc.full_major (); state := build 100; Gc.compact ()
exception Bad of string
let run n = if n < 0 then raise (Bad "neg"); Gc.minor (); state := (build n) @ !state; Gc.full_major (); !state
let () = Api.registered := ("plugin", run) :: !Api.registered
