(* SPDX-License-Identifier: MIT *)
(* More domains than cores: the same work shared among 1, 2, 4 and 8 domains; wall time to that of the better of 1 and 2. Pure allocation,
   and rows of a product of matrices taken from a counter. *)
open Figures

let shared domains body = wall (fun () ->
    let others = List.init (domains - 1) (fun _ -> Domain.spawn (fun () -> body domains)) in
    body domains;
    List.iter Domain.join others)

let allocation domains = for _ = 1 to 80_000 / domains do keep (list 100) done

let size = 200
let a = Array.init size (fun i -> Array.init size (fun j -> float_of_int (i * j mod 17)))
let next = Atomic.make 0

let rec rows domains =
  let i = Atomic.fetch_and_add next 1 in
  if i < size then begin
    keep (Array.init size (fun j ->
        let s = ref 0. in
        for k = 0 to size - 1 do s := !s +. (a.(i).(k) *. a.(k).(j)) done;
        !s));
    rows domains
  end

let series name body =
  let at n = Atomic.set next 0; shared n body in
  let best = min (at 1) (at 2) in
  figure (name ^ "_4_domains") (at 4 /. best);
  figure (name ^ "_8_domains") (at 8 /. best)

let () =
  series "allocation" allocation;
  series "matrices" rows
