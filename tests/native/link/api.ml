(* SPDX-License-Identifier: MIT *)
let registered : (string * (int -> string list)) list ref = ref []
