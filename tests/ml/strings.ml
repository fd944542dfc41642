(* SPDX-License-Identifier: MIT *)
(* The String module. *)
let pe = print_endline
let catch f = try f () with Invalid_argument m -> pe ("Invalid_argument " ^ m) | Not_found -> pe "Not_found" | Failure m -> pe ("Failure " ^ m)
let () =
  let s = "Hello, World" in
  Printf.printf "%d %c %S\n" (String.length s) s.[4] (String.sub s 3 5);
  catch (fun () -> pe (String.sub s 10 5));
  catch (fun () -> Printf.printf "%c" s.[100]);
  catch (fun () -> Printf.printf "%c" s.[-1]);
  pe (String.concat "|" [ "a"; ""; "bc" ]);
  pe (String.uppercase_ascii s ^ String.lowercase_ascii s ^ String.capitalize_ascii "abc" ^ String.uncapitalize_ascii "ABC");
  List.iter (fun x -> Printf.printf "%S " x) (String.split_on_char ',' "a,b,,c,");
  pe "";
  Printf.printf "%d %d %b\n" (String.index s 'o') (String.rindex s 'o') (String.contains s 'z');
  catch (fun () -> ignore (String.index s 'z'));
  Printf.printf "%S %S\n" (String.trim "  \t x y \n") (String.escaped "a\n\t\"\\\000\255z");
  Printf.printf "%S\n" (String.map Char.uppercase_ascii "mapped");
  Printf.printf "%S\n" (String.mapi (fun i c -> Char.chr (Char.code c + i)) "aaaa");
  Printf.printf "%b %b %b\n" (String.starts_with ~prefix:"He" s) (String.ends_with ~suffix:"ld" s) (String.exists (( = ) 'W') s);
  Printf.printf "%d %d %d %b\n" (compare "a" "b") (compare "ab" "a") (String.compare "" "") ("abc" = "ab" ^ "c");
  let big = String.make 100_000 'x' in
  Printf.printf "%d %d\n" (String.length big) (Hashtbl.hash big);
  catch (fun () -> ignore (String.make (-1) 'x'));
  catch (fun () -> ignore (String.make max_int 'x'));
  catch (fun () -> ignore (Bytes.create (Sys.max_string_length + 1)));
  Printf.printf "%d\n" Sys.max_string_length;
  for n = 0 to 40 do
    let x = String.init n (fun i -> Char.chr (65 + (i mod 26))) in
    Printf.printf "%d:%s:%d " n x (Hashtbl.hash x)
  done;
  pe "";
  Printf.printf "%S %d\n" (String.get_utf_8_uchar "\xc3\xa9" 0 |> Uchar.utf_decode_uchar |> Uchar.to_int |> string_of_int) (String.get_int32_le "abcd" 0 |> Int32.to_int);
  catch (fun () -> ignore (String.get_int64_be "short" 0));
  Printf.printf "%x %x %x\n" (String.get_uint16_be "\x12\x34" 0) (String.get_uint8 "\xff" 0) (String.get_int8 "\xff" 0);
  Printf.printf "%b %b\n" (String.is_valid_utf_8 "h\xc3\xa9") (String.is_valid_utf_8 "\xff");
  String.iteri (fun i c -> if i < 3 then Printf.printf "%d%c" i c) s;
  Printf.printf "\n%s\n" (String.fold_left (fun a c -> a ^ Printf.sprintf "%02x" (Char.code c)) "" s);
  pe (match s with "Hello, World" -> "yes" | "Hello" -> "no" | _ -> "other");
  List.iter (fun w -> pe (match w with "one" -> "1" | "two" -> "2" | "three" -> "3" | "fourteen-letters" -> "14" | "" -> "empty" | _ -> "?"))
    [ "one"; "two"; "three"; "four"; ""; "fourteen-letters"; "fourteen-letterz" ];
  List.iter (fun u -> Printf.printf "%S " (let b = Buffer.create 4 in Buffer.add_utf_8_uchar b (Uchar.of_int u); Buffer.contents b)) [ 0x41; 0xe9; 0x20ac; 0x1f600 ];
  pe "";
  catch (fun () -> ignore (Uchar.of_int 0xd800))
