(* SPDX-License-Identifier: MIT *)
(* Small computations: n-body, Mandelbrot, matrices, primes, queens. *)
type body = { mutable x : float; mutable y : float; mutable vx : float; mutable vy : float; m : float }
let nbody () =
  let bs = Array.init 5 (fun i -> let f = float (i + 1) in { x = f; y = f *. f /. 3.; vx = 0.1 *. f; vy = -0.05 *. f; m = 1. /. f }) in
  for _ = 1 to 300 do
    Array.iter (fun a -> Array.iter (fun b -> if a != b then begin
        let dx = b.x -. a.x and dy = b.y -. a.y in
        let d2 = (dx *. dx) +. (dy *. dy) +. 0.01 in
        let k = b.m /. (d2 *. sqrt d2) *. 0.001 in
        a.vx <- a.vx +. (dx *. k); a.vy <- a.vy +. (dy *. k) end) bs) bs;
    Array.iter (fun a -> a.x <- a.x +. (a.vx *. 0.001); a.y <- a.y +. (a.vy *. 0.001)) bs
  done;
  Array.fold_left (fun s b -> s +. b.x +. b.y) 0. bs
let mandel () =
  for y = -10 to 10 do
    for x = -30 to 10 do
      let cr = float x /. 15. and ci = float y /. 10. in
      let rec it n zr zi = if n = 50 || (zr *. zr) +. (zi *. zi) > 4. then n else it (n + 1) ((zr *. zr) -. (zi *. zi) +. cr) ((2. *. zr *. zi) +. ci) in
      print_char " .:-=+*#%@".[it 0 0. 0. * 9 / 50]
    done;
    print_newline ()
  done
let queens n =
  let rec place row cols d1 d2 = if row = n then 1 else List.fold_left (fun acc c -> if List.mem c cols || List.mem (row + c) d1 || List.mem (row - c) d2 then acc else acc + place (row + 1) (c :: cols) ((row + c) :: d1) ((row - c) :: d2)) 0 (List.init n Fun.id) in
  place 0 [] [] []
let primes n = let s = Bytes.make (n + 1) '1' in
  let c = ref 0 in
  for i = 2 to n do if Bytes.get s i = '1' then begin incr c; let j = ref (i * i) in while !j <= n do Bytes.set s !j '0'; j := !j + i done end done; !c
let matmul n = let a = Array.init n (fun i -> Array.init n (fun j -> float (i + j))) in
  let c = Array.make_matrix n n 0. in
  for i = 0 to n - 1 do for j = 0 to n - 1 do for k = 0 to n - 1 do c.(i).(j) <- c.(i).(j) +. (a.(i).(k) *. a.(k).(j)) done done done; c.(n / 2).(n / 3)
let () = Printf.printf "%.12g\n" (nbody ()); mandel (); Printf.printf "%d %d %g\n" (queens 7) (primes 20_000) (matmul 40)
