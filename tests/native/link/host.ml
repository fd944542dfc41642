(* SPDX-License-Identifier: MIT *)
let () = (try Dynlink.loadfile "nothing.cmxs" with Dynlink.Error _ -> print_endline "no such plugin");
  Dynlink.allow_unsafe_modules true;
  (try Dynlink.loadfile "plugin.cmxs" with Dynlink.Error e -> print_endline (Dynlink.error_message e));
  List.iter (fun (n, f) -> Printf.printf "%s %d %d\n" n (List.length (f 10)) (List.length (f 20));
    (try ignore (f (-1)) with e -> print_endline (Printexc.to_string e))) !Api.registered;
  let f = List.assoc "plugin" !Api.registered in
  let g : int -> string list = Marshal.from_string (Marshal.to_string f [Marshal.Closures]) 0 in
  Printf.printf "%d\n" (List.length (g 1))
