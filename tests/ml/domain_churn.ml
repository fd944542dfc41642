(* SPDX-License-Identifier: MIT *)
(* Several domains allocate, mutate shared structures and collect at once; checksums must hold. *)
type node = { id : int; mutable next : node option; data : string }
let work seed =
  let rng = Random.State.make [| seed |] in
  let table = Array.make 512 None and sum = ref 0 in
  for i = 1 to 30_000 do
    let k = Random.State.int rng 512 in
    (match table.(k) with Some n when n.id <> k -> failwith "corrupt id" | Some n when n.data <> string_of_int (n.id * 3) -> failwith "corrupt data" | _ -> ());
    table.(k) <- Some { id = k; next = (if i land 15 = 0 then None else table.(k)); data = string_of_int (k * 3) };
    if i mod 5000 = 0 then Gc.minor ();
    if i mod 15_000 = 0 then Gc.compact ()
  done;
  Array.iter (fun o -> let rec len n = function None -> n | Some x -> len (n + String.length x.data) x.next in sum := !sum + len 0 o) table;
  !sum
let () =
  let alone = List.init 4 work in
  let ds = List.init 4 (fun s -> Domain.spawn (fun () -> work s)) in
  let together = List.map Domain.join ds in
  List.iter2 (fun a b -> Printf.printf "%d %b\n" a (a = b)) alone together
