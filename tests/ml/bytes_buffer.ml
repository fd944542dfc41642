(* SPDX-License-Identifier: MIT *)
(* Bytes and Buffer. *)
let catch f = try f () with Invalid_argument m -> print_endline ("Invalid_argument " ^ m)
let () =
  let b = Bytes.of_string "0123456789" in
  Bytes.blit b 0 b 3 5; print_endline (Bytes.to_string b);
  Bytes.blit b 3 b 0 5; print_endline (Bytes.to_string b);
  Bytes.fill b 2 3 '#'; print_endline (Bytes.to_string b);
  catch (fun () -> Bytes.blit b 5 b 7 5);
  catch (fun () -> Bytes.fill b 8 5 'x');
  catch (fun () -> Bytes.set b 10 'x');
  Bytes.set_int32_le b 0 0x41424344l; Bytes.set_int64_be b 2 0x4546474849505152L;
  print_endline (Bytes.to_string b);
  Printf.printf "%ld %Ld %d %d\n" (Bytes.get_int32_be b 0) (Bytes.get_int64_le b 0) (Bytes.get_uint16_ne b 1) (Bytes.get_int16_le b 0);
  catch (fun () -> Bytes.set_int64_le b 3 0L);
  print_endline (Bytes.to_string (Bytes.extend (Bytes.of_string "abc") 2 (-1)) |> fun s -> String.sub s 2 1);
  print_endline (Bytes.to_string (Bytes.cat (Bytes.make 3 'a') (Bytes.init 3 (fun i -> Char.chr (48 + i)))));
  Printf.printf "%b %d\n" (Bytes.equal (Bytes.of_string "x") (Bytes.of_string "x")) (Bytes.compare (Bytes.of_string "a") (Bytes.of_string "b"));
  let buf = Buffer.create 1 in
  for i = 0 to 9999 do Buffer.add_string buf (string_of_int i); if i mod 3 = 0 then Buffer.add_char buf ' ' done;
  Printf.printf "%d %s\n" (Buffer.length buf) (Digest.to_hex (Digest.string (Buffer.contents buf)));
  Printf.printf "%s %c\n" (Buffer.sub buf 10 20) (Buffer.nth buf 5);
  catch (fun () -> ignore (Buffer.nth buf 1_000_000));
  Buffer.truncate buf 7; print_endline (Buffer.contents buf);
  Buffer.clear buf; Buffer.add_substitute buf (fun v -> "<" ^ v ^ ">") "$a ${bc} $(d)e \\$x"; print_endline (Buffer.contents buf);
  Buffer.reset buf; Buffer.add_int64_le buf 0x4142434445464748L; Buffer.add_uint16_be buf 0x4142; print_endline (Buffer.contents buf);
  Printf.bprintf buf "%d-%s" 5 "x"; print_endline (Buffer.contents buf);
  catch (fun () -> Buffer.truncate buf 100);
  print_string (String.of_seq (Seq.take 5 (Buffer.to_seq buf))); print_newline ()
