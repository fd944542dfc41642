(* SPDX-License-Identifier: MIT *)
(* How floats are printed. *)
let fs = [ 0.; -0.; 1.; -1.; 0.1; 0.2; 0.1 +. 0.2; 1e15; 1e16; 1e17; 1e21; 1e22; 1e-5; 1e-4; 123456789.; 1234567890123456789.; 1e100; 1.7976931348623157e308; 5e-324; infinity; neg_infinity; nan; 3.14159265358979; 100.; 1e5; 12345.678 ]
let () =
  List.iter (fun f ->
      print_endline (string_of_float f);
      print_float f; print_newline ();
      Printf.printf "%f|%e|%g|%F|%h|%H|%E|%G|%#F\n" f f f f f f f f f;
      Printf.printf "%.0f|%.3f|%10.2f|%-10.2f|%+.1f|% .1f|%010.3f|%.10e|%.3g|%.0e|%#.3g\n" f f f f f f f f f f f;
      Printf.printf "%.0h|%.3h|%.20h|%.15F|%.17g|%.50f\n" f f f f f f;
      Printf.printf "%*.*f|\n" 12 4 f) fs;
  Printf.printf "%s %s\n" (Float.to_string 1e3) (Float.to_string 0.30000000000000004)
