(* SPDX-License-Identifier: MIT *)
(* Functors, generative ones, recursive modules, includes, applicative sharing. *)
module type ORD = sig type t val compare : t -> t -> int val show : t -> string end
module Tree (O : ORD) = struct
  type t = E | N of t * O.t * t
  let rec add x = function E -> N (E, x, E) | N (l, y, r) as n -> let c = O.compare x y in if c < 0 then N (add x l, y, r) else if c > 0 then N (l, y, add x r) else n
  let rec show = function E -> "" | N (l, x, r) -> show l ^ O.show x ^ " " ^ show r
end
module I = struct type t = int let compare = compare let show = string_of_int end
module S = struct type t = string let compare = compare let show s = s end
module Rev (O : ORD) = struct include O let compare a b = O.compare b a end
module Pair (A : ORD) (B : ORD) = struct
  type t = A.t * B.t
  let compare (a, b) (c, d) = match A.compare a c with 0 -> B.compare b d | n -> n
  let show (a, b) = Printf.sprintf "(%s,%s)" (A.show a) (B.show b)
end
module TI = Tree (I)
module TR = Tree (Rev (I))
module TP = Tree (Pair (S) (Rev (I)))
module Gen () = struct let r = ref 0 let next () = incr r; !r end
module rec Even : sig val test : int -> bool end = struct let test n = n = 0 || Odd.test (n - 1) end
and Odd : sig val test : int -> bool end = struct let test n = n <> 0 && Even.test (n - 1) end
module type MONOID = sig type t val zero : t val plus : t -> t -> t end
let fold (type a) (module M : MONOID with type t = a) l = List.fold_left M.plus M.zero l
let () =
  let l = [ 5; 2; 9; 2; 7; 1 ] in
  print_endline (TI.show (List.fold_left (fun t x -> TI.add x t) TI.E l));
  print_endline (TR.show (List.fold_left (fun t x -> TR.add x t) TR.E l));
  print_endline (TP.show (List.fold_left (fun t x -> TP.add x t) TP.E [ ("b", 1); ("a", 1); ("a", 2) ]));
  let module G1 = Gen () in
  let module G2 = Gen () in
  ignore (G1.next ()); ignore (G1.next ());
  Printf.printf "%d %d\n" (G1.next ()) (G2.next ());
  Printf.printf "%b %b\n" (Even.test 1001) (Odd.test 1001);
  Printf.printf "%d %s\n" (fold (module struct type t = int let zero = 0 let plus = ( + ) end) l) (fold (module struct type t = string let zero = "" let plus = ( ^ ) end) [ "a"; "b" ]);
  let shows : (module ORD with type t = int) list = [ (module I); (module Rev (I)) ] in
  List.iter (fun (module O : ORD with type t = int) -> Printf.printf "%d %s\n" (O.compare 1 2) (O.show 3)) shows
