(* SPDX-License-Identifier: MIT *)
(* Digest: MD5 and BLAKE2, strings, files, channels. *)
let () =
  List.iter (fun s -> Printf.printf "%s %s %s %s\n" (Digest.to_hex (Digest.string s)) (Digest.BLAKE128.to_hex (Digest.BLAKE128.string s)) (Digest.BLAKE256.to_hex (Digest.BLAKE256.string s)) (Digest.BLAKE512.to_hex (Digest.BLAKE512.string s)))
    ([ ""; "a"; "abc"; "message digest" ] @ List.map (fun n -> String.make n 'x') [ 55; 56; 63; 64; 65; 127; 128; 129; 255; 1000; 100_000 ]);
  let file = Filename.temp_file "bac" ".d" in
  Out_channel.with_open_bin file (fun oc -> for i = 0 to 99_999 do output_byte oc i done);
  print_endline (Digest.to_hex (Digest.file file)); print_endline (Digest.BLAKE256.to_hex (Digest.BLAKE256.file file));
  In_channel.with_open_bin file (fun ic -> print_endline (Digest.to_hex (Digest.channel ic 1000)); print_endline (Digest.to_hex (Digest.channel ic (-1))));
  In_channel.with_open_bin file (fun ic -> try ignore (Digest.channel ic 1_000_000) with End_of_file -> print_endline "eof");
  Sys.remove file;
  print_endline (Digest.to_hex (Digest.substring "hello world" 6 5)); (try ignore (Digest.substring "x" 1 5) with Invalid_argument m -> print_endline m);
  Printf.printf "%b %d\n" (Digest.equal (Digest.string "a") (Digest.from_hex "0cc175b9c0f1b6a831c399e269772661")) (compare (Digest.string "a") (Digest.string "b")); (try ignore (Digest.from_hex "zz") with Invalid_argument m -> print_endline m)
