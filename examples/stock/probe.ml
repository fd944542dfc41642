(* SPDX-License-Identifier: MIT *)
let available = false
let scan_heap () = [||]
let clock () = 0
