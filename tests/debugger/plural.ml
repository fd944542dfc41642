(* SPDX-License-Identifier: MIT *)
let () =
  match Sys.argv with
  | [| _; "domain" |] -> Domain.join (Domain.spawn (fun () -> print_endline "second"))
  | _ -> Thread.join (Thread.create print_endline "second")
