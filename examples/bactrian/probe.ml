(* SPDX-License-Identifier: MIT *)
let available = true
external scan_heap : unit -> int array = "caml_bactrian_heap_scan"
external clock : unit -> int = "caml_bactrian_clock"
