(* SPDX-License-Identifier: MIT *)
(* Arrays: sorted, multiplied, walked, filled by tables of earlier results, of integers, floats and blocks. *)
let random = let state = ref 42 in fun bound -> state := ((!state * 1103515245) + 12345) land 0x3fff_ffff; !state lsr 8 mod bound

let quicksort a =
  let rec go low high =
    if low < high then begin
      let pivot = a.((low + high) / 2) and i = ref low and j = ref high in
      while !i <= !j do
        while a.(!i) < (pivot : int) do incr i done;
        while a.(!j) > pivot do decr j done;
        if !i <= !j then begin
          let t = a.(!i) in
          a.(!i) <- a.(!j);
          a.(!j) <- t;
          incr i;
          decr j
        end
      done;
      go low !j;
      go !i high
    end
  in
  go 0 (Array.length a - 1)

let multiply a b n =
  let c = Array.make_matrix n n 0 in
  for i = 0 to n - 1 do
    for j = 0 to n - 1 do
      let s = ref 0 in
      for k = 0 to n - 1 do
        s := !s + (a.(i).(k) * b.(k).(j))
      done;
      c.(i).(j) <- !s
    done
  done;
  c

let longest_common a b =
  let n = Array.length a and m = Array.length b in
  let table = Array.make_matrix (n + 1) (m + 1) 0 in
  for i = 1 to n do
    for j = 1 to m do
      table.(i).(j) <- (if a.(i - 1) = (b.(j - 1) : int) then table.(i - 1).(j - 1) + 1 else Int.max table.(i - 1).(j) table.(i).(j - 1))
    done
  done;
  table.(n).(m)

(* The game of life on a torus. *)
let life board size =
  let at x y = board.(((x + size) mod size * size) + ((y + size) mod size)) in
  Array.init (size * size) (fun p ->
    let x = p / size and y = p mod size in
    let n = at (x - 1) (y - 1) + at (x - 1) y + at (x - 1) (y + 1) + at x (y - 1) + at x (y + 1) + at (x + 1) (y - 1) + at (x + 1) y + at (x + 1) (y + 1) in
    if n = 3 || (n = 2 && at x y = 1) then 1 else 0)

type point = { key : int; mutable next : point option }

let () =
  let sum = ref 0 in
  let add n = sum := (!sum + n) land 0xffff_ffff in
  let a = Array.init 250_000 (fun _ -> random 1_000_000) in
  quicksort a;
  Array.iteri (fun i x -> add (i * x)) a;
  let n = 80 in
  let m = Array.init n (fun i -> Array.init n (fun j -> (i * j) land 15)) in
  Array.iter (Array.iter add) (multiply (multiply m m n) m n);
  add (longest_common (Array.init 600 (fun _ -> random 10)) (Array.init 600 (fun _ -> random 10)));
  let board = ref (Array.init 1600 (fun _ -> random 2)) in
  for _ = 1 to 25 do board := life !board 40 done;
  add (Array.fold_left ( + ) 0 !board);
  let points = Array.init 2_000 (fun key -> { key; next = None }) in
  for i = 1 to 500_000 do
    let p = points.(random 2_000) in
    p.next <- Some points.(i mod 2_000);
    match points.(i mod 2_000).next with Some q -> add q.key | None -> ()
  done;
  let sorted = Array.copy points in
  Array.sort (fun p q -> compare (q.key land 255 : int) (p.key land 255)) sorted;
  Array.stable_sort (fun p q -> compare (p.key : int) q.key) sorted;
  for i = 1 to 900 do
    let part = Array.sub sorted i 500 in
    Array.blit part 0 sorted (1500 - i) 400;
    Array.fill part 100 200 sorted.(i);
    add (Array.fold_left (fun s p -> s + p.key) 0 (Array.append part (Array.map Fun.id part)))
  done;
  let floats = Array.init 1_000 float_of_int in
  for i = 1 to 300 do Array.iteri (fun j x -> floats.(j) <- x +. float_of_int (i - j)) floats done;
  add (int_of_float (Array.fold_left ( +. ) 0. floats));
  Printf.printf "%d\n" !sum
