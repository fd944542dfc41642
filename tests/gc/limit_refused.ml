(* SPDX-License-Identifier: MIT *)
(* An allocation that cannot be served raises what it raises in stock OCaml, at once, and leaves the heap sound. *)
(* runparam: Xlimit=32M,V=1 *)
(* variants: no-stress *)
(* stderr: (==\d+==WARNING: \w+Sanitizer failed to allocate [^\n]*\n?)* *)
let huge = max_int / 64
let refused name exn f =
  Check.raises name exn f;
  Gc.full_major ()   (* V=1: the heap is verified *)

let () =
  let array_max = Sys.max_array_length and string_max = Sys.max_string_length in
  refused "Array.make" Out_of_memory (fun () -> ignore (Array.make (array_max / 2) 0));
  refused "Array.make of a young block" Out_of_memory (fun () -> ignore (Array.make (array_max / 2) (ref 0)));
  refused "Array.make of a float" Out_of_memory (fun () -> ignore (Array.make (array_max / 2) 0.5));
  refused "Array.make of the greatest length" Out_of_memory (fun () -> ignore (Array.make array_max 0));
  refused "Array.make of more" (Invalid_argument "Array.make") (fun () -> ignore (Array.make (array_max + 1) 0));
  refused "Array.create_float" Out_of_memory (fun () -> ignore (Array.create_float (array_max / 2)));
  refused "Array.init" Out_of_memory (fun () -> ignore (Array.init (array_max / 2) Fun.id));
  refused "Bytes.create" Out_of_memory (fun () -> ignore (Bytes.create (string_max / 2)));
  refused "Bytes.create of the greatest length" Out_of_memory (fun () -> ignore (Bytes.create string_max));
  refused "Bytes.create of more" (Invalid_argument "Bytes.create") (fun () -> ignore (Bytes.create (string_max + 1)));
  refused "String.make" Out_of_memory (fun () -> ignore (String.make huge 'x'));
  refused "Bigarray" Out_of_memory
    (fun () -> ignore (Bigarray.Array1.create Bigarray.float64 Bigarray.c_layout (1 lsl 55)));
  refused "Bigarray whose size does not fit" Out_of_memory
    (fun () -> ignore (Bigarray.Array3.create Bigarray.float64 Bigarray.c_layout (1 lsl 30) (1 lsl 30) (1 lsl 30)));
  refused "Weak.create" Out_of_memory (fun () -> ignore (Weak.create (Obj.Ephemeron.max_ephe_length / 2)));
  refused "Weak.create of more" (Invalid_argument "Weak.create") (fun () -> ignore (Weak.create (Obj.Ephemeron.max_ephe_length + 1)));
  refused "Hashtbl.create" Out_of_memory (fun () -> ignore (Hashtbl.create (array_max / 2)));
  (* Growth that ends at the limit. *)
  refused "Buffer.add_string" Out_of_memory
    (fun () -> let b = Buffer.create 10 in while true do Buffer.add_string b (String.make 50_000 'x') done);
  let part = String.make 3_000_000 'x' in
  refused "String.concat" Out_of_memory (fun () -> ignore (String.concat "" (List.init 12 (fun _ -> part))));
  refused "Bytes.extend" Out_of_memory (fun () -> ignore (Bytes.extend (Bytes.of_string part) 0 35_000_000));
  let half = Array.make 1_500_000 0 in
  refused "Array.append" Out_of_memory (fun () -> ignore (Array.append half (Array.append half half)));
  refused "Array.concat" Out_of_memory (fun () -> ignore (Array.concat [half; half; half]));
  let data = Marshal.to_string half [] in
  refused "Marshal.from_string" Out_of_memory
    (fun () -> ignore (List.init 4 (fun _ -> (Marshal.from_string data 0 : int array))));
  refused "Marshal.to_string" Out_of_memory
    (fun () -> ignore (Marshal.to_string (Array.make 15 (String.make 2_900_000 'y')) [Marshal.No_sharing]));
  Check.int "half is whole" 0 (Array.fold_left (+) 0 half)
