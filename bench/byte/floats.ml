(* SPDX-License-Identifier: MIT *)
(* Floats: planets, a spectral norm, a Mandelbrot set, an integral, and functions of the C library. *)
type body = { mutable x : float; mutable y : float; mutable z : float; mutable vx : float; mutable vy : float; mutable vz : float; mass : float }

let bodies =
  let at x y z vx vy vz mass = { x; y; z; vx; vy; vz; mass } in
  [| at 0. 0. 0. 0. 0. 0. 39.47; at 4.84 (-1.16) (-0.10) 0.60 2.81 (-0.02) 0.037; at 8.34 4.12 (-0.4) (-1.01) 1.82 0.008 0.011;
     at 12.89 (-15.11) (-0.22) 1.08 0.86 (-0.01) 0.0017; at 15.37 (-25.9) 0.17 0.97 0.59 (-0.03) 0.002 |]

let advance dt =
  let n = Array.length bodies in
  for i = 0 to n - 1 do
    let b = bodies.(i) in
    for j = i + 1 to n - 1 do
      let c = bodies.(j) in
      let dx = b.x -. c.x and dy = b.y -. c.y and dz = b.z -. c.z in
      let d2 = (dx *. dx) +. (dy *. dy) +. (dz *. dz) in
      let mag = dt /. (d2 *. sqrt d2) in
      b.vx <- b.vx -. (dx *. c.mass *. mag);
      b.vy <- b.vy -. (dy *. c.mass *. mag);
      b.vz <- b.vz -. (dz *. c.mass *. mag);
      c.vx <- c.vx +. (dx *. b.mass *. mag);
      c.vy <- c.vy +. (dy *. b.mass *. mag);
      c.vz <- c.vz +. (dz *. b.mass *. mag)
    done
  done;
  Array.iter (fun b -> b.x <- b.x +. (dt *. b.vx); b.y <- b.y +. (dt *. b.vy); b.z <- b.z +. (dt *. b.vz)) bodies

let energy () = Array.fold_left (fun e b -> e +. (0.5 *. b.mass *. ((b.vx *. b.vx) +. (b.vy *. b.vy) +. (b.vz *. b.vz)))) 0. bodies
let a i j = 1. /. float_of_int (((i + j) * (i + j + 1) / 2) + i + 1)

let times f v w =
  for i = 0 to Array.length v - 1 do
    let s = ref 0. in
    for j = 0 to Array.length v - 1 do
      s := !s +. (f i j *. v.(j))
    done;
    w.(i) <- !s
  done

let norm n =
  let u = Array.make n 1. and v = Array.make n 0. and w = Array.make n 0. in
  for _ = 1 to 4 do
    times a u w; times (fun i j -> a j i) w v;
    times a v w; times (fun i j -> a j i) w u
  done;
  sqrt (Array.fold_left ( +. ) 0. (Array.map2 ( *. ) u v) /. Array.fold_left (fun s x -> s +. (x *. x)) 0. v)

let mandelbrot size =
  let inside = ref 0 in
  for py = 0 to size - 1 do
    for px = 0 to size - 1 do
      let cx = (2. *. float_of_int px /. float_of_int size) -. 1.5 and cy = (2. *. float_of_int py /. float_of_int size) -. 1. in
      let rec go x y n = if n = 0 then incr inside else if (x *. x) +. (y *. y) <= 4. then go ((x *. x) -. (y *. y) +. cx) ((2. *. x *. y) +. cy) (n - 1) in
      go 0. 0. 30
    done
  done;
  !inside

let integral f from upto steps =
  let h = (upto -. from) /. float_of_int steps in
  let rec go i acc = if i = steps then acc *. h else go (i + 1) (acc +. f (from +. ((float_of_int i +. 0.5) *. h))) in
  go 0 0.

let () =
  for _ = 1 to 15_000 do advance 0.01 done;
  let minimum = ref infinity in
  for i = 1 to 600_000 do minimum := Float.min !minimum (Float.rem (float_of_int i *. 1.7) 13.) done;
  Printf.printf "%.9f %.9f %d %.9f %g\n" (energy ()) (norm 150) (mandelbrot 350) (integral (fun x -> exp (-.x) *. sin x) 0. 10. 1_200_000) !minimum
