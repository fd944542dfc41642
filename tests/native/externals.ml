(* SPDX-License-Identifier: MIT *)
(* with: externals_stubs.c *)
(* C functions called by native code in each of its ways, and C functions that call back. *)
external many : int -> int -> int -> int -> int -> int -> int -> int -> int -> int -> int -> int = "ext_many_byte" "ext_many"
external mixed : (int[@untagged]) -> (float[@unboxed]) -> (int32[@unboxed]) -> (int64[@unboxed]) -> (nativeint[@unboxed]) ->
  (float[@unboxed]) -> (int[@untagged]) -> (int[@untagged]) -> (int[@untagged]) -> (float[@unboxed]) -> (float[@unboxed]) ->
  (float[@unboxed]) -> (float[@unboxed]) -> (float[@unboxed]) -> (float[@unboxed]) -> (float[@unboxed]) -> (float[@unboxed]) = "ext_mixed_byte" "ext_mixed"
external mixed_noalloc : (int[@untagged]) -> (float[@unboxed]) -> (float[@unboxed]) = "ext_noalloc_byte" "ext_noalloc" [@@noalloc]
external many_gc : string -> string -> string -> string -> string -> string -> string -> string -> string = "ext_concat_byte" "ext_concat"
external apply : ('a -> 'b) -> 'a -> 'b = "ext_apply"
external apply2 : ('a -> 'b -> 'c) -> 'a -> 'b -> 'c = "ext_apply2"
external apply3 : ('a -> 'b -> 'c -> 'd) -> 'a -> 'b -> 'c -> 'd = "ext_apply3"
external apply_n : ('a -> 'b) -> 'a array -> 'c = "ext_apply_n"
external apply_exn : ('a -> 'b) -> 'a -> ('b, exn) result = "ext_apply_exn"
external rooted : (unit -> unit) -> string -> string list -> string = "ext_rooted"
external raise_deep : int -> string -> 'a = "ext_raise_deep"
external local_roots : unit -> bool = "ext_local_roots"

let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
let garbage () = ignore (Sys.opaque_identity (List.init 500 string_of_int))

let () = check "many arguments" (many 1 2 3 4 5 6 7 8 9 10 11 = 1 + 4 + 9 + 16 + 25 + 36 + 49 + 64 + 81 + 100 + 121)
let () = check "unboxed arguments"
  (mixed 1 2. 3l 4L 5n 6. 7 8 9 10. 11. 12. 13. 14. 15. 16. = 136.)
let () = check "noalloc" (mixed_noalloc 3 0.5 = 3.5)
let () = check "stack arguments that move"
  (many_gc (String.make 1 'a') (String.make 2 'b') (String.make 3 'c') (String.make 4 'd') (String.make 5 'e') (String.make 6 'f')
     (String.make 7 'g') (String.make 8 'h') = "abbcccddddeeeeeffffffggggggghhhhhhhh")

let () =
  check "callback" (apply (fun x -> garbage (); x + 1) 41 = 42);
  check "callback2" (apply2 (fun x y -> garbage (); x ^ y) "a" "b" = "ab");
  check "callback3" (apply3 (fun x y z -> Gc.full_major (); x ^ y ^ z) "a" "b" "c" = "abc");
  check "callback of 7" (apply_n (fun a b c d e f g -> garbage (); String.concat "" [ a; b; c; d; e; f; g ])
    (Array.init 7 (fun i -> string_of_int i)) = "0123456");
  check "partial" (apply2 (fun x -> garbage (); fun y -> x * y) 6 7 = 42);
  check "over-application" ((apply2 (fun x y z -> x + y + z) 1 2) 3 = 6)

(* Exceptions go through C functions, and are caught by them. *)
exception Mine of string
let () =
  check "raise through" (match apply (fun () -> garbage (); raise (Mine "x")) () with exception Mine "x" -> true | _ -> false);
  check "caught in C" (apply_exn (fun () -> raise (Mine "y")) () = Error (Mine "y"));
  check "not raised" (apply_exn (fun x -> x) 5 = Ok 5);
  check "caught inside" (apply (fun () -> try raise_deep 10 "z" with Failure s -> s) () = "z");
  check "through two" (match apply (fun () -> apply (fun () -> raise_deep 3 "zz") ()) () with exception Failure "zz" -> true | _ -> false);
  check "roots dropped" (local_roots ())

(* C locals that are roots, while OCaml code collects and moves things. *)
let () =
  let f () = garbage (); Gc.minor (); garbage (); Gc.compact () in
  check "rooted" (rooted f (String.concat "-" [ "a"; "b" ]) [ "c"; String.make 3 'd' ] = "a-b,c,ddd")

(* The fiber grows, and so moves, under C frames. *)
let rec deep n = if n = 0 then 0 else 1 + deep (n - 1)
let rec down n = if n = 0 then deep 100_000 else 1 + apply down (n - 1)
let () = check "growing under C" (down 200 = 100_200)
let rec handlers n = if n = 0 then raise Exit else try 1 + apply handlers (n - 1) with Not_found -> 0
let () = check "handlers under C" (match handlers 2000 with exception Exit -> true | _ -> false)

(* Effects stop at C. *)
open Effect
open Effect.Deep
type _ Effect.t += Ask : int Effect.t
let answer f = match f () with v -> v | effect Ask, k -> continue k 10
let () =
  check "unhandled in callback" (answer (fun () -> apply (fun () -> try perform Ask with Unhandled Ask -> 3) ()) = 3);
  check "handled in callback" (apply (fun () -> answer (fun () -> garbage (); perform Ask + 1)) () = 11);
  check "after callback" (answer (fun () -> apply (fun () -> ()) (); perform Ask + perform Ask) = 20);
  check "callback raised" (answer (fun () -> (try apply (fun () -> raise Exit) () with Exit -> ()); perform Ask) = 10);
  check "fiber grows under C" (answer (fun () -> let d = apply (fun n -> deep n) 10_000 in d + perform Ask) = 10_010);
  check "reperform under C" (answer (fun () ->
    match apply (fun () -> match perform Ask with v -> v | exception Unhandled Ask -> 4) () with v -> v + perform Ask) = 14)
