(* SPDX-License-Identifier: MIT *)
(* window_size: with any window the cycles end, and a wide one gives no slice more than a narrow one. *)
let cycles () = (Gc.quick_stat ()).Gc.major_collections
let table = Array.make 30_000 [||]

let cycles_with window =
  Gc.set { (Gc.get ()) with Gc.window_size = window };
  Gc.full_major ();
  let before = cycles () in
  for i = 0 to 400_000 do table.(i mod 30_000) <- Array.make 7 i done;
  cycles () - before

let () =
  let one = cycles_with 1 in
  Check.it "cycles with a window of 1" (one >= 2);
  List.iter
    (fun w -> Check.between (Printf.sprintf "as many with a window of %d" w) (one / 2) (2 * one) (cycles_with w))
    [ 2; 10; 50 ];
  Check.it "what lives is what it was" (Array.for_all (fun a -> Array.length a = 7) table)
