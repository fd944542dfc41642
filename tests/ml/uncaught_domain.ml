(* SPDX-License-Identifier: MIT *)
(* An exception in a domain that nobody joins is reported when it ends. *)
let () =
  let d = Domain.spawn (fun () -> raise Not_found) in
  (try Domain.join d with Not_found -> print_endline "joined");
  print_endline "end"
