(* SPDX-License-Identifier: MIT *)
(* with: statics_unit.ml *)
(* Blocks of the program's static data that come to refer to the heap: modules while they are initialised and afterwards. *)
let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
let garbage () = ignore (Sys.opaque_identity (List.init 3000 string_of_int))

let a = String.concat "" [ "a"; string_of_int 1 ]
let () = garbage (); Gc.minor (); check "set before a minor collection" (a = "a1")
let b = ref (Sys.opaque_identity [ a; a ])
let () = garbage (); Gc.full_major (); check "set before a major one" (!b = [ "a1"; "a1" ])
let () = b := [ String.make 3 'x' ]; garbage (); check "changed" (!b = [ "xxx" ])

let constant = [ 1, "one"; 2, "two" ]
let table = [| 1.5; 2.5 |]
let rec ones = 1 :: ones
let rec even n = n = 0 || odd (n - 1) and odd n = n <> 0 && even (n - 1)
let () =
  Gc.compact ();
  check "constants" (List.assoc 2 constant = "two" && table.(1) = 2.5 && List.nth ones 1000 = 1 && even 10)

module type S = sig val get : unit -> string val set : string -> unit end
module Make (X : sig val start : string end) : S = struct
  let cell = ref X.start
  let get () = !cell
  let set s = cell := s
end
module M = Make (struct let start = String.make 2 's' end)
module rec R : sig val f : int -> string list end = struct
  let names = List.map string_of_int [ 1; 2; 3 ]
  let f n = if n = 0 then names else Q.f (n - 1)
end
and Q : sig val f : int -> string list end = struct let f n = if n = 0 then [] else R.f (n - 1) end
let () =
  garbage ();
  M.set (String.concat "+" [ M.get (); "t" ]);
  garbage (); Gc.compact ();
  check "functor" (M.get () = "ss+t");
  check "recursive modules" (R.f 4 = [ "1"; "2"; "3" ])

let () =
  Statics_unit.fill 100;
  for _ = 1 to 20 do garbage () done;
  check "another unit" (Statics_unit.sum () = 4950 && Statics_unit.name = "unit-7")

let () = check "static values compare and hash"
  (compare constant (Sys.opaque_identity [ 1, "one"; 2, "two" ]) = 0 && Hashtbl.hash constant = Hashtbl.hash (List.map Fun.id constant))
let () = check "static values marshal"
  (Marshal.from_string (Marshal.to_string (constant, table, "s") []) 0 = (constant, table, "s"))
let () = check "closures marshal"
  ((Marshal.from_string (Marshal.to_string even [ Marshal.Closures ]) 0 : int -> bool) 4)
let () =
  let w = Weak.create 2 in
  Weak.set w 0 (Some constant); Gc.full_major ();
  check "static values in weak arrays" (Weak.check w 0);
  check "finaliser of a static value"
    (match Gc.finalise ignore constant with () -> true | exception Invalid_argument s -> s = "Gc.finalise")

(* Other domains collect while this one initialises a module. *)
let d = Domain.spawn (fun () -> for _ = 1 to 200 do garbage () done)
let c1 = String.concat "" (List.init 10 string_of_int)
let () = for _ = 1 to 50 do garbage () done
let c2 = c1 ^ "!"
let () = Domain.join d; check "domains" (c2 = "0123456789!")
