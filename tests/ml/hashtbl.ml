(* SPDX-License-Identifier: MIT *)
(* Hashtbl: growth, iteration order, replace, functorial, statistics. *)
let sorted t = List.sort compare (Hashtbl.fold (fun k v l -> (k, v) :: l) t [])
module H = Hashtbl.Make (struct type t = string let equal = String.equal let hash = Hashtbl.hash end)
let () =
  let t = Hashtbl.create 4 in
  for i = 1 to 1000 do Hashtbl.add t (i * 7919 mod 1009) i done;
  Printf.printf "%d %d\n" (Hashtbl.length t) (Hashtbl.find t 5);
  Hashtbl.iter (fun k v -> if k < 10 then Printf.printf "%d:%d " k v) t; print_newline ();
  for i = 1 to 500 do Hashtbl.remove t i done;
  Printf.printf "%d %b %b\n" (Hashtbl.length t) (Hashtbl.mem t 3) (Hashtbl.mem t 700);
  Hashtbl.add t 700 1; Hashtbl.add t 700 2; List.iter (Printf.printf "%d ") (Hashtbl.find_all t 700); print_newline ();
  Hashtbl.replace t 700 3; Printf.printf "%s\n" (match Hashtbl.find_opt t 5000 with None -> "none" | Some _ -> "some");
  (try ignore (Hashtbl.find t 5000) with Not_found -> print_endline "Not_found");
  let s = Hashtbl.create 10 in
  String.split_on_char ' ' "the quick brown fox jumps over the lazy dog the end" |> List.iter (fun w -> Hashtbl.replace s w (1 + Option.value ~default:0 (Hashtbl.find_opt s w)));
  Hashtbl.iter (Printf.printf "%s=%d ") s; print_newline ();
  List.iter (fun (k, v) -> Printf.printf "%s=%d " k v) (sorted s); print_newline ();
  Hashtbl.filter_map_inplace (fun _ v -> if v > 1 then Some (v * 10) else None) s; Printf.printf "%d\n" (Hashtbl.length s);
  let h = H.create 1 in
  for i = 0 to 9999 do H.replace h (string_of_int (i mod 777)) i done;
  Printf.printf "%d %d\n" (H.length h) (H.find h "42");
  let c = Hashtbl.copy t in
  Hashtbl.reset t; Printf.printf "%d %d\n" (Hashtbl.length t) (Hashtbl.length c);
  let st = Hashtbl.stats c in
  Printf.printf "%d %d %d\n" st.num_bindings st.num_buckets st.max_bucket_length;
  let f = Hashtbl.create 16 in
  for i = 0 to 99 do Hashtbl.add f (float i /. 3.) (string_of_int i) done;
  Printf.printf "%s\n" (Hashtbl.find f (10. /. 3.));
  Printf.printf "%d\n" (Seq.length (Hashtbl.to_seq f))
