(* SPDX-License-Identifier: MIT *)
(* runparam: b *)
(* An exception out of a domain is raised again by join, with its trace. *)
let boom n = if n > 0 then failwith "in the domain" else n
let () = Domain.join (Domain.spawn (fun () -> print_int (boom (Sys.opaque_identity 1))))
