(* SPDX-License-Identifier: MIT *)
(* Obj: tags, sizes, dup, magic. *)
let t x = Printf.printf "%d " (if Obj.is_int (Obj.repr x) then -1 else Obj.tag (Obj.repr x))
type c = A | B of int | C of int * int
let () =
  t 1; t "s"; t 1.; t [| 1.; 2. |]; t (1, 2); t (Some 1); t A; t (B 1); t (C (1, 2)); t (fun x -> x + Array.length Sys.argv); t (lazy (Sys.opaque_identity 1 + 1)); t 1L; t [| 1 |]; t (ref 0); t (object method m = 1 end); t [||]; t Not_found; t (Failure "x"); print_newline ();
  let r = Obj.repr (1, "two", 3.) in
  Printf.printf "%d %s %b\n" (Obj.size r) (Obj.obj (Obj.field r 1)) (Obj.is_block r);
  let d = Obj.dup r in
  Obj.set_field d 0 (Obj.repr 99); Printf.printf "%d %d\n" (Obj.obj (Obj.field r 0)) (Obj.obj (Obj.field d 0));
  let n = Obj.new_block 7 3 in
  for i = 0 to 2 do Obj.set_field n i (Obj.repr i) done;
  Printf.printf "%d %d\n" (Obj.tag n) (Obj.size n);
  let w = Obj.with_tag 3 (Obj.repr (1, 2)) in
  Printf.printf "%d %d\n" (Obj.tag w) (Obj.size w);
  Printf.printf "%d %d\n" (Obj.reachable_words (Obj.repr [ 1; 2; 3 ])) (Obj.reachable_words (Obj.repr (Array.init 10 (fun i -> string_of_int i))));
  Printf.printf "%s\n" (Obj.Extension_constructor.name (Obj.Extension_constructor.of_val (Failure "x")));
  Printf.printf "%g\n" (Obj.double_field (Obj.repr [| 1.5; 2.5 |]) 1);
  let id = Obj.Extension_constructor.id (Obj.Extension_constructor.of_val Not_found) in
  Printf.printf "%b\n" (id <> 0);
  Printf.printf "%d %d %d\n" (Obj.size (Obj.repr "1234567")) (Obj.size (Obj.repr "12345678")) (Obj.size (Obj.repr 1L));
  Printf.printf "%b\n" (Obj.magic 0 = false)
