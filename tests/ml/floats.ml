(* SPDX-License-Identifier: MIT *)
(* Float arithmetic and classification. *)
let fs = [ 0.; -0.; 1.; -1.; 0.1; 1e300; -1e-300; 5e-324; infinity; neg_infinity; nan; 3.7; -3.7; 2.5; 0.5; 4503599627370497.5; max_float; min_float; epsilon_float ]
let p = Printf.printf "%h "
let () =
  List.iter (fun a ->
      List.iter (fun b ->
          p (a +. b); p (a -. b); p (a *. b); p (a /. b); p (mod_float a b); p (Float.min a b); p (Float.max a b);
          p (copysign a b); p (Float.rem a b);
          Printf.printf "%b %b %b %b %d\n" (a < b) (a <= b) (a = b) (a <> b) (compare a b)) fs) fs;
  List.iter (fun a ->
      p (floor a); p (ceil a); p (Float.round a); p (Float.trunc a); p (sqrt (abs_float a)); p (Float.succ a); p (Float.pred a);
      let m, e = frexp a in
      p m; Printf.printf "%d " (if Float.is_finite a then e else 0);
      let f, i = modf a in
      p f; p i; p (ldexp a 3);
      Printf.printf "%b %b %b %s\n" (Float.is_integer a) (Float.is_nan a) (Float.sign_bit a)
        (match classify_float a with FP_normal -> "normal" | FP_subnormal -> "subnormal" | FP_zero -> "zero" | FP_infinite -> "inf" | FP_nan -> "nan"))
    fs;
  List.iter (fun f -> Printf.printf "%.12g\n" (f 0.7))
    [ exp; log; log10; log1p; expm1; sin; cos; tan; asin; acos; atan; sinh; cosh; tanh; Float.cbrt; Float.exp2; Float.log2; Float.erf; Float.erfc; Float.asinh; Float.atanh ];
  Printf.printf "%.12g %.12g %.12g %.12g\n" (atan2 1. 2.) (hypot 3. 4.) (2. ** 0.5) (Float.fma 2. 3. 4.);
  Printf.printf "%d %d %d\n" (int_of_float 3.99) (truncate (-3.99)) (int_of_float 1e10);
  List.iter (fun s -> match float_of_string s with f -> Printf.printf "%h\n" f | exception Failure m -> print_endline m)
    [ "1"; "1.5e3"; "0x1.8p1"; "nan"; "inf"; "-infinity"; "1_0.5"; "."; ""; "1e"; "0x"; "1e400"; "-1e-400"; ".5"; "5."; "1.2.3"; "0x1p-1074"; "0x1.fffffffffffffp1023" ];
  let acc = ref 0. in
  for i = 1 to 10_000 do acc := !acc +. (1. /. float i) done;
  Printf.printf "%.17g\n" !acc
