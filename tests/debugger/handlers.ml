(* SPDX-License-Identifier: MIT *)
open Effect
open Effect.Deep

type _ Effect.t += Ask : int -> int Effect.t

let inner n =
  let a = perform (Ask n) in
  let b = perform (Ask a) in
  a + b

let outer n = inner n + 1

let () =
  let answer =
    try_with outer 1
      { effc = (fun (type a) (e : a Effect.t) ->
          match e with
          | Ask n -> Some (fun (k : (a, _) continuation) -> continue k (n * 10))
          | _ -> None) }
  in
  print_int answer;
  print_newline ()
