(* SPDX-License-Identifier: MIT *)
(* What ctypes uses of dune's configurator (its interface, none of its code): asks the C compiler. *)

module V1 = struct
  type t = { flags : string }

  let in_file name text =
    Out_channel.with_open_bin name (fun out -> Out_channel.output_string out text)

  let compile t ~c_flags program =
    in_file "configured.c" program;
    Sys.command (String.concat " " ("gcc" :: t.flags :: c_flags @ [ "-w configured.c -o configured 2>/dev/null" ])) = 0

  let c_test t ?(c_flags = []) program = compile t ~c_flags program

  let main ?(args = []) ~name f =
    Arg.parse args ignore name;
    f { flags = "-I" ^ Sys.getenv "OCAML_LIB" }

  module C_define = struct
    module Type = struct type t = Int | String end
    module Value = struct type t = Int of int | String of string end

    (* The values of [names], each printed by a line of the program. *)
    let import t ?(prelude = "") ?(c_flags = []) ~includes names =
      let line (name, kind) =
        Printf.sprintf (match kind with Type.Int -> "printf(\"%%ld\\n\", (long)(%s));" | Type.String -> "puts(%s);") name
      in
      let headers = List.map (Printf.sprintf "#include <%s>\n") ("stddef.h" :: "stdio.h" :: includes) in
      let program = prelude ^ String.concat "" headers ^ "int main(void) {" ^ String.concat "" (List.map line names) ^ "}\n" in
      if not (compile t ~c_flags program) then failwith "configurator: the program does not compile";
      let answers = Unix.open_process_in "./configured" in
      let value (name, kind) =
        let answer = input_line answers in
        (name, match kind with Type.Int -> Value.Int (int_of_string answer) | Type.String -> Value.String answer)
      in
      let values = List.map value names in
      ignore (Unix.close_process_in answers);
      values
  end
end
