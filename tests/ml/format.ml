(* SPDX-License-Identifier: MIT *)
(* Format: boxes, breaks, tabulation, tags. *)
open Format
type t = Leaf of int | Node of t * string * t
let rec pp ppf = function
  | Leaf n -> fprintf ppf "%d" n
  | Node (l, s, r) -> fprintf ppf "@[<hv 2>%s(@,%a,@ %a@;<0 -2>)@]" s pp l pp r
let rec build n = if n = 0 then Leaf n else Node (build (n - 1), String.make n 'n', build (n - 1))
let () =
  printf "@[<v>%a@]@." pp (build 5);
  printf "@[<hov 4>%a@]@." (pp_print_list ~pp_sep:(fun ppf () -> fprintf ppf ",@ ") pp_print_int) (List.init 60 Fun.id);
  set_margin 30;
  printf "@[<h>%s@ %s@]@.@[<b 3>a@ b@ %s@ c@]@." "one" "two" (String.make 25 'x');
  printf "@[<v 2>begin@,line %d@,@[<v 2>sub@,deeper@]@,end@]@." 1;
  open_tbox (); set_tab (); printf "abc"; set_tab (); printf "def"; print_tab (); printf "x"; close_tbox (); print_newline ();
  printf "%a@." (pp_print_option pp_print_string) (Some "opt");
  print_endline (asprintf "%s-%d-%a" "as" 3 pp (Leaf 9));
  let b = Buffer.create 10 in
  let ppf = formatter_of_buffer b in
  pp_set_max_boxes ppf 3; fprintf ppf "@[a@[b@[c@[d@[e@]@]@]@]@]@?"; print_endline (Buffer.contents b);
  pp_set_geometry std_formatter ~max_indent:10 ~margin:20;
  printf "@[<v 4>a@,@[<v 4>b@,@[<v 4>c@,@[<v 4>d@]@]@]@]@.";
  set_mark_tags true;
  pp_set_formatter_stag_functions std_formatter { (pp_get_formatter_stag_functions std_formatter ()) with mark_open_stag = (function String_tag s -> "<" ^ s ^ ">" | _ -> ""); mark_close_stag = (function String_tag s -> "</" ^ s ^ ">" | _ -> "") };
  printf "@{<b>bold@}@.";
  printf "%d@;<3 2>%s@\n%!" 1 "end"
