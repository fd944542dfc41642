(* SPDX-License-Identifier: MIT *)
(* Marshal: the bytes are stock's, and come back the same. *)
type t = { a : int; b : float; c : string; d : t option; e : int array }
type v = A | B of int | C of v * v
let rec tree n = if n <= 0 then A else if n mod 3 = 0 then B n else C (tree (n - 1), tree (n - 2))
let bytes name flags x = let s = Marshal.to_string x flags in Printf.printf "%s %d %s\n" name (String.length s) (Digest.to_hex (Digest.string s)); s
let trip name ?(flags = []) x = let s = bytes name flags x in Printf.printf "%b %d\n" (Marshal.from_string s 0 = x) (Marshal.total_size (Bytes.unsafe_of_string s) 0)
let catch f = try f () with Failure m -> print_endline m | Invalid_argument m -> print_endline m | End_of_file -> print_endline "eof"
let () =
  List.iter (trip "int") [ 0; 1; 63; 64; -1; -128; 127; 128; 32767; 32768; -32769; 1 lsl 30; 1 lsl 31; -(1 lsl 31); -(1 lsl 31) - 1; max_int; min_int ];
  List.iter (trip "float") [ 0.; 1.5; infinity; -0. ]; List.iter (trip "string") [ ""; "a"; String.make 31 'a'; String.make 32 'b'; String.make 255 'c'; String.make 256 'd'; String.make 70_000 'e' ];
  trip "list" [ 1; 2; 3 ]; trip "floats" [| 1.; 2.; 3. |]; trip "floats" (Array.init 300 float); trip "ints" (Array.init 1000 Fun.id); trip "empty" ([||] : int array);
  trip "record" { a = 1; b = 2.; c = "x"; d = Some { a = 2; b = 3.; c = "y"; d = None; e = [||] }; e = [| 1; 2 |] };
  trip "tree" (tree 20); trip "boxed" (1l, 2L, 3n); trip "poly" [ `A; `B 3 ]; trip "big list" (List.init 20_000 string_of_int);
  let shared = String.make 50 's' in
  let pair = (shared, shared) in
  let s = bytes "shared" [] pair and s2 = bytes "no sharing" [ Marshal.No_sharing ] pair in
  let p, q = (Marshal.from_string s 0 : string * string) in
  Printf.printf "%b %b\n" (p == q) (let p, q = (Marshal.from_string s2 0 : string * string) in p == q);
  let rec cyc = 1 :: 2 :: cyc in
  let c : int list = Marshal.from_string (bytes "cycle" [] cyc) 0 in
  Printf.printf "%d %b\n" (List.nth c 101) (c == List.tl (List.tl c));
  let o = object val mutable n = 5 method get = n end in
  ignore o;
  catch (fun () -> ignore (Marshal.to_string succ []));
  let g : int -> int = Marshal.from_string (Marshal.to_string (fun x -> x + String.length shared) [ Marshal.Closures ]) 0 in
  Printf.printf "%d\n" (g 1);
  catch (fun () -> ignore (Marshal.from_string "garbage garbage garbage" 0 : int)); catch (fun () -> ignore (Marshal.from_string "\x84\x95" 0 : int)); catch (fun () -> ignore (Marshal.from_string (String.sub s 0 30) 0 : int));
  let b = Bytes.create 100 in
  Printf.printf "%d\n" (Marshal.to_buffer b 5 50 [ 1; 2 ] []); catch (fun () -> ignore (Marshal.to_buffer b 90 5 (List.init 50 Fun.id) []));
  let file = Filename.temp_file "bac" ".bin" in
  Out_channel.with_open_bin file (fun oc -> for i = 1 to 100 do Marshal.to_channel oc (i, tree (i mod 15), string_of_int i) [] done);
  In_channel.with_open_bin file (fun ic ->
      let ok = ref true in
      for i = 1 to 100 do let (j, t, s) : int * v * string = Marshal.from_channel ic in if j <> i || t <> tree (i mod 15) || s <> string_of_int i then ok := false done;
      Printf.printf "%b\n" !ok; catch (fun () -> ignore (Marshal.from_channel ic : int)));
  Sys.remove file;
  let deep = ref [] in
  for i = 1 to 300_000 do deep := i :: !deep done;
  let d : int list = Marshal.from_string (Marshal.to_string !deep []) 0 in
  Printf.printf "%b\n" (List.for_all2 ( = ) d !deep);
  catch (fun () -> ignore (Marshal.to_string (Mutex.create ()) []));
  catch (fun () -> ignore (Marshal.to_string stdout []))
