(* SPDX-License-Identifier: MIT *)
(* Weak arrays and weak hash sets. *)
let catch f = try f () with Invalid_argument m -> print_endline m
module W = Weak.Make (struct type t = string let equal = String.equal let hash = Hashtbl.hash end)
let keep = ref []
let () =
  let w = Weak.create 10 in
  for i = 0 to 9 do let v = ref i in Weak.set w i (Some v); if i mod 2 = 0 then keep := v :: !keep done;
  Gc.full_major ();
  for i = 0 to 9 do Printf.printf "%d:%s%b " i (match Weak.get w i with None -> "-" | Some r -> string_of_int !r) (Weak.check w i) done;
  print_newline ();
  (match Weak.get_copy w 0 with Some r -> Printf.printf "%d %b\n" !r (List.memq r !keep) | None -> print_endline "none");
  Weak.blit w 0 w 5 5; Weak.fill w 0 2 None;
  for i = 0 to 9 do print_string (if Weak.check w i then "x" else ".") done; print_newline ();
  catch (fun () -> ignore (Weak.get w 10)); catch (fun () -> Weak.set w (-1) None); catch (fun () -> Weak.blit w 5 w 8 5); catch (fun () -> ignore (Weak.create (-1)));
  let set = W.create 16 in
  let strings = Array.init 200 (fun i -> String.make 5 (Char.chr (65 + (i mod 26))) ^ string_of_int i) in
  Array.iter (W.add set) strings;
  for i = 0 to 199 do ignore (W.merge set ("junk" ^ string_of_int i)) done;
  Gc.full_major (); Gc.full_major ();
  Printf.printf "%d %b %b\n" (W.count set) (W.mem set strings.(5)) (W.find set (String.concat "" [ strings.(7) ]) == strings.(7));
  W.remove set strings.(5); Printf.printf "%b\n" (W.mem set strings.(5));
  keep := []; Gc.full_major ();
  for i = 0 to 9 do print_string (if Weak.check w i then "x" else ".") done; print_newline ();
  Printf.printf "%d %d\n" (Weak.length w) (Array.length strings)
