(* SPDX-License-Identifier: MIT *)
(* Polymorphic comparison and equality on every kind of value. *)
type r = { a : int; b : string }
let c x y = Printf.printf "%d %b %b %b %b %b\n" (compare x y) (x = y) (x <> y) (x < y) (x > y) (x >= y)
let catch f = try f () with Invalid_argument m -> print_endline m | Failure m -> print_endline m
let () =
  c 1 2; c 2 1; c 3 3; c "a" "b"; c "abc" "ab"; c "" ""; c 'a' 'b'; c 1.5 2.5; c nan nan; c nan 1.; c 0. (-0.); c infinity nan;
  c [ 1; 2 ] [ 1; 3 ]; c [ 1 ] [ 1; 2 ]; c [] [ 1 ]; c (1, "x") (1, "y"); c [| 1; 2 |] [| 1; 2; 3 |]; c [| 9 |] [| 1; 2 |]; c [| 1.; nan |] [| 1.; nan |]; c [||] [||];
  c (Some 1) None; c (Ok 1) (Error 2); c { a = 1; b = "x" } { a = 1; b = "y" }; c 1l 2l; c 5L 5L; c (-1n) 1n; c true false; c () ();
  let l = List.init 1000 Fun.id in
  c l (List.map Fun.id l);
  c (Bytes.of_string "ab") (Bytes.of_string "ac");
  c (String.make 1000 'a') (String.make 1000 'a' ^ "b");
  catch (fun () -> c succ pred); catch (fun () -> c [ Fun.id ] []);
  let f = succ in
  Printf.printf "%d\n" (compare f f);
  let x = ref [ 1 ] in
  Printf.printf "%b %b %b\n" (x == x) (x = ref [ 1 ]) (x == ref [ 1 ]);
  Printf.printf "%b %d\n" (nan = nan) (compare nan nan);
  let n = nan in
  Printf.printf "%b %b %b\n" (n == n) ((n, 1) = (n, 1)) (compare (n, 1) (n, 1) = 0);
  let rec big n = if n = 0 then [] else (n, string_of_int n) :: big (n - 1) in
  Printf.printf "%b %d\n" (big 10_000 = big 10_000) (compare (big 100) (big 101));
  Printf.printf "%d %d\n" (min 3 2) (max 3 2);
  Printf.printf "%b\n" (List.sort compare [ (2, "b"); (1, "z"); (2, "a") ] = [ (1, "z"); (2, "a"); (2, "b") ]);
  let nested = Array.init 50 (fun i -> Array.init i (fun j -> Some (i * j))) in
  Printf.printf "%d\n" (compare nested (Array.map Array.copy nested))
