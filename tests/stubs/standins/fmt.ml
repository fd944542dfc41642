(* SPDX-License-Identifier: MIT *)
(* What the libraries' tests use of Fmt. *)

let fmt format formatter x = Format.fprintf formatter format x
let str = Format.asprintf
