(* SPDX-License-Identifier: MIT *)
include OUnit2
