(* SPDX-License-Identifier: MIT *)
(* The least ulimit -v, in MB to the next 1/16, under which a program that holds 8 MB runs; with a nursery of 256k words and of 8M words. *)
open Figures

let least s =
  let runs mb = again (Printf.sprintf "ulimit -v %d; OCAMLRUNPARAM=s=%s" (mb * 1024) s) "hold" = 0 in
  let rec up mb = if mb > 100_000 || runs mb then mb else up (mb + max 1 (mb / 16)) in
  up 8

let () =
  match argument 1 with
  | Some _ -> keep (list 300_000)
  | None ->
    count "least_MB_s256k" (least "256k");
    count "least_MB_s8M" (least "8M")
