(* SPDX-License-Identifier: MIT *)
(* Equality and order of strings, against a comparison byte by byte: lengths around the ends of words, differences in each place,
   bytes that look like the padding behind a string's end. *)
let naive a b =
  let la = String.length a and lb = String.length b in
  let rec from i =
    if i = la || i = lb then compare la lb
    else if a.[i] <> b.[i] then if Char.code a.[i] < Char.code b.[i] then -1 else 1
    else from (i + 1)
  in
  from 0

let strings =
  let bytes = [| '\000'; '\001'; '\006'; '\007'; 'a'; '\128'; '\255' |] in
  let all = ref [ "" ] in
  List.iter
    (fun length ->
      Array.iter
        (fun fill ->
          all := String.make length fill :: !all;
          for at = 0 to length - 1 do
            Array.iter (fun c -> all := String.init length (fun i -> if i = at then c else fill) :: !all) bytes
          done)
        [| '\000'; 'a'; '\255' |])
    [ 1; 2; 6; 7; 8; 9; 15; 16; 17; 31; 32; 33; 40; 41 ];
  Array.of_list (List.sort_uniq naive !all)

let sign n = if n < 0 then -1 else if n > 0 then 1 else 0

let () =
  let wrong = ref 0 and count = ref 0 in
  let step = max 1 (Array.length strings / 200) in
  Array.iteri
    (fun i a ->
      let j = ref (i mod step) in
      while !j < Array.length strings do
        let b = String.sub strings.(!j) 0 (String.length strings.(!j)) in
        let n = naive a b in
        incr count;
        if not (sign (String.compare a b) = n && sign (compare a b) = n && String.equal a b = (n = 0)
                && (a < b) = (n < 0) && (a <= b) = (n <= 0) && (a > b) = (n > 0) && (a >= b) = (n >= 0) && (a <> b) = (n <> 0)
                && sign (Bytes.compare (Bytes.of_string a) (Bytes.unsafe_of_string b)) = n)
        then begin
          incr wrong;
          if !wrong < 5 then Printf.printf "not ok %S %S\n" a b
        end;
        j := !j + step
      done)
    strings;
  Printf.printf "%d strings, %d comparisons, %d wrong\n" (Array.length strings) !count !wrong
