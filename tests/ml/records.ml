(* SPDX-License-Identifier: MIT *)
(* Records: mutable, float, nested, unboxed, inline. *)
type point = { x : float; y : float }
type mixed = { name : string; mutable count : int; mutable pos : point; tags : string list }
type mf = { mutable a : float; mutable b : float }
type 'a box = { mutable contents_ : 'a; next : 'a box option }
type u = { only : int } [@@unboxed]
type poly = { f : 'a. 'a list -> int }
type inline = A of { mutable i : int; s : string } | B of { f : float; g : float }
let show m = Printf.printf "%s %d (%g,%g) [%s]\n" m.name m.count m.pos.x m.pos.y (String.concat ";" m.tags)
let () =
  let m = { name = "m"; count = 0; pos = { x = 1.; y = 2. }; tags = [ "a"; "b" ] } in
  show m; m.count <- m.count + 5; m.pos <- { m.pos with y = 9. }; show m;
  let m2 = { m with name = "copy" } in
  m2.count <- 100; show m; show m2; Printf.printf "%b %b\n" (m = m2) ({ m with count = 1 } = { m with count = 1 });
  let f = { a = 1.; b = 2. } in
  for _ = 1 to 1000 do f.a <- f.a +. f.b; f.b <- f.b *. 1.001 done;
  Printf.printf "%.10g %.10g\n" f.a f.b;
  let rec chain n acc = if n = 0 then acc else chain (n - 1) (Some { contents_ = n; next = acc }) in
  let rec sum = function None -> 0 | Some b -> b.contents_ + sum b.next in
  let c = chain 1000 None in
  (match c with Some b -> b.contents_ <- 1_000_000 | None -> ());
  Printf.printf "%d %d\n" (sum c) { only = 3 }.only;
  let p = { f = List.length } in
  Printf.printf "%d %d\n" (p.f [ 1; 2 ]) (p.f [ "x" ]);
  let a = A { i = 1; s = "s" } in
  (match a with A r -> r.i <- r.i + 41 | B _ -> ());
  List.iter (function A { i; s } -> Printf.printf "A %d %s\n" i s | B { f; g } -> Printf.printf "B %g %g\n" f g) [ a; B { f = 1.5; g = 2.5 } ]
