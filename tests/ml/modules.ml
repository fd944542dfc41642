(* SPDX-License-Identifier: MIT *)
(* First-class modules, local opens, shadowing, module-level state, type-directed plug-ins. *)
module type PLUGIN = sig val name : string val run : int -> int end
let plugins : (string, (module PLUGIN)) Hashtbl.t = Hashtbl.create 8
let register (module P : PLUGIN) = Hashtbl.replace plugins P.name (module P : PLUGIN)
let make name f : (module PLUGIN) = (module struct let name = name let run = f end)
module type DYN = sig type t val v : t val show : t -> string end
let dyns : (module DYN) list = [ (module struct type t = int let v = 3 let show = string_of_int end); (module struct type t = float let v = 2.5 let show = string_of_float end) ]
module Counter = struct let n = ref 0 let tick () = incr n; !n end
module Alias = Counter
module Ops = struct let ( +! ) a b = (a * 10) + b let ( |>> ) f g x = g (f x) end
let () =
  register (make "double" (fun x -> 2 * x)); register (make "square" (fun x -> x * x));
  register (module struct let name = "chain" let run x = let module P = (val Hashtbl.find plugins "double") in let module Q = (val Hashtbl.find plugins "square") in Q.run (P.run x) end);
  List.iter (fun n -> let (module P) = Hashtbl.find plugins n in Printf.printf "%s %d\n" P.name (P.run 7)) [ "double"; "square"; "chain" ];
  List.iter (fun (module D : DYN) -> print_endline (D.show D.v)) dyns;
  ignore (Counter.tick ()); Printf.printf "%d %d\n" (Alias.tick ()) !Counter.n;
  Printf.printf "%d %d\n" Ops.(1 +! 2 +! 3) (let open Ops in (succ |>> fun x -> x * 2) 5);
  let x = 1 in let x = x + 1 in let module L = struct let x = x * 10 let y = x + 1 end in Printf.printf "%d %d %d\n" x L.x L.y
