(* SPDX-License-Identifier: MIT *)
(* Type.Id, Complex, Arg, Char, Bool. *)
let () =
  let i = Type.Id.make () and s : string Type.Id.t = Type.Id.make () in
  let same : type a b. a Type.Id.t -> b Type.Id.t -> bool = fun a b -> match Type.Id.provably_equal a b with Some Type.Equal -> true | None -> false in
  Printf.printf "%b %b\n" (same (i : int Type.Id.t) i) (same i s);
  let c = Complex.(mul { re = 1.; im = 2. } (exp i)) in
  Printf.printf "%.10g %.10g %.10g\n" c.re c.im (Complex.norm c);
  let verbose = ref false and n = ref 0 and rest = ref [] in
  let spec = [ ("-v", Arg.Set verbose, " verbose"); ("-n", Arg.Set_int n, "N number"); ("--", Arg.Rest (fun s -> rest := s :: !rest), " rest") ] in
  Arg.parse_argv ~current:(ref 0) [| "prog"; "-v"; "-n"; "5"; "anon"; "--"; "a"; "b" |] spec (fun s -> rest := s :: !rest) "usage";
  Printf.printf "%b %d %s\n" !verbose !n (String.concat "," !rest);
  (try Arg.parse_argv ~current:(ref 0) [| "prog"; "-x" |] spec ignore "usage: prog" with Arg.Bad m -> print_string m | Arg.Help m -> print_string m);
  (try Arg.parse_argv ~current:(ref 0) [| "prog"; "-n"; "q" |] spec ignore "usage: prog" with Arg.Bad m -> print_string m);
  Printf.printf "%s %d %c\n" (Char.escaped '\n') (Char.code 'a') (Char.lowercase_ascii 'Q'); (try ignore (Char.chr 256) with Invalid_argument m -> print_endline m);
  Printf.printf "%s %b\n" (Bool.to_string true) (Bool.not true)
