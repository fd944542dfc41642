(* SPDX-License-Identifier: MIT *)
(* What the scripts of the suite walk through. *)
type shape = Circle of float | Square of { side : int; name : string }

let area = function
  | Circle r -> r *. r
  | Square { side; _ } -> float_of_int (side * side)

let rec fact n = if n = 0 then 1 else n * fact (n - 1)

let find key pairs =
  let check (k, v) = if k = key then Some v else None in
  match List.find_map check pairs with
  | Some v -> v
  | None -> raise Not_found

let fails depth =
  let rec go n = if n = 0 then failwith "bottom" else 1 + go (n - 1) in
  go depth

let guarded depth =
  let kept = [| 1.5; 2.5 |] in
  match fails depth with
  | n -> n
  | exception Failure text -> String.length text + int_of_float kept.(1)

let adder a b c = a + b + c

let () =
  let shapes = [ Circle 2.0; Square { side = 3; name = "square" } ] in
  let total = List.fold_left (fun sum s -> sum +. area s) 0.0 shapes in
  print_float total;
  print_newline ();
  let partial = adder 1 2 in
  print_int (partial (fact 4));
  print_newline ();
  print_int (find "b" [ ("a", 1); ("b", 2) ]);
  print_newline ();
  print_int (guarded 3);
  print_newline ();
  let sorted = List.sort compare [ 3; 1; 2 ] in
  List.iter (fun n -> print_int (n * n)) sorted;
  print_newline ();
  ignore (find "c" [ ("a", 1) ])
