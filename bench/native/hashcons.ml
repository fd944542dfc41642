(* SPDX-License-Identifier: MIT *)
(* Hash-consing with weak sets: binary decision diagrams whose nodes are unique; most of them die. *)
type bdd = { id : int; node : node }
and node = False | True | Test of int * bdd * bdd

module Set = Weak.Make (struct
  type t = bdd

  let equal a b =
    match (a.node, b.node) with
    | Test (v, l, h), Test (v', l', h') -> v = v' && l == l' && h == h'
    | a, b -> a = b

  let hash b = match b.node with Test (v, l, h) -> (v * 31) + (l.id * 7919) + (h.id * 104729) | False -> 0 | True -> 1
end)

let all = Set.create 1000
let next = ref 2
let no = { id = 0; node = False }
let yes = { id = 1; node = True }

let test v low high =
  if low == high then low
  else begin
    Probe.look ();
    let made = Set.merge all { id = !next; node = Test (v, low, high) } in
    if made.id = !next then incr next;
    made
  end

let variable v = test v no yes

let rec apply memo op a b =
  match (a.node, b.node) with
  | (False | True), (False | True) -> if op (a == yes) (b == yes) then yes else no
  | _ -> (
      let key = (a.id, b.id) in
      match Hashtbl.find_opt memo key with
      | Some r -> r
      | None ->
          let top b = match b.node with Test (v, _, _) -> v | _ -> max_int in
          let v = min (top a) (top b) in
          let half side b = match b.node with Test (v', l, h) when v' = v -> if side then h else l | _ -> b in
          let r = test v (apply memo op (half false a) (half false b)) (apply memo op (half true a) (half true b)) in
          Hashtbl.add memo key r;
          r)

let both a b = apply (Hashtbl.create 16) ( && ) a b
let either a b = apply (Hashtbl.create 16) ( || ) a b
let differ a b = apply (Hashtbl.create 16) ( <> ) a b
let rec size seen b = match b.node with
  | Test (_, l, h) when not (Hashtbl.mem seen b.id) -> Hashtbl.add seen b.id (); 1 + size seen l + size seen h
  | _ -> 0

(* Bit n of the sum of two numbers, their bits in the worst order. *)
let sum bits =
  let carry = ref no in
  List.init bits (fun i ->
      let a = variable i and b = variable (bits + i) in
      let bit = differ (differ a b) !carry in
      carry := either (both a b) (both !carry (either a b));
      bit)

let () =
  let total = ref 0 in
  for round = 1 to Probe.scale 24 do
    let f = sum 12 in
    total := !total + size (Hashtbl.create 100) (List.nth f (11 - (round land 1)))
  done;
  Probe.finish !total
