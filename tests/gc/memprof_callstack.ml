(* SPDX-License-Identifier: MIT *)
(* The callstack is that of the allocation, as long as callstack_size says. *)
module M = Gc.Memprof

let opaque = Sys.opaque_identity
let[@inline never] small n = opaque (opaque ref (n, n, n, n, n, n, n))
let[@inline never] large n = opaque (Array.make (300 + n) n)
let rec deep f n = if n = 0 then f 0 else 1 + deep f (n - 1)

(* The callstacks of the blocks of at least 7 words that f allocates. *)
let callstacks ?callstack_size f =
  let seen = ref [] in
  let note (a : M.allocation) = if a.size >= 7 then seen := a.callstack :: !seen; None in
  let p = M.start ~sampling_rate:1. ?callstack_size { M.null_tracker with alloc_minor = note; alloc_major = note } in
  ignore (opaque (f ()));
  M.stop ();
  M.discard p;
  !seen

let depth ?callstack_size f =
  match callstacks ?callstack_size f with
  | c :: _ -> Printexc.raw_backtrace_length c
  | [] -> -1

let names c =
  match Printexc.backtrace_slots c with
  | None -> []
  | Some slots -> Array.to_list slots |> List.filter_map Printexc.Slot.name

let has name c = List.exists (fun n -> String.ends_with ~suffix:("." ^ name) n) (names c)

let in_small () = opaque (deep (fun n -> ignore (small n); 0) 50)
let in_large () = opaque (deep (fun n -> ignore (large n); 0) 50)

let () =
  Check.int "callstack_size 0" 0 (depth ~callstack_size:0 in_small);
  Check.int "callstack_size 1" 1 (depth ~callstack_size:1 in_small);
  Check.int "callstack_size 10" 10 (depth ~callstack_size:10 in_small);
  Check.int "callstack_size 10, in the major heap" 10 (depth ~callstack_size:10 in_large);
  let whole = depth in_small in
  Check.between "by default all" 53 70 whole;
  Check.int "callstack_size max_int is the default" whole (depth ~callstack_size:max_int in_small);
  Check.int "a callstack_size beyond the stack" whole (depth ~callstack_size:(whole + 1) in_small);
  Check.int "a callstack_size one below" (whole - 1) (depth ~callstack_size:(whole - 1) in_small);
  let deep_one = depth (fun () -> deep (fun n -> ignore (small n); 0) 20_000) in
  Check.between "of a deep stack" 20_003 20_020 deep_one

let all name function_name f =
  let c = callstacks f in
  Check.it name (c <> [] && List.for_all (has function_name) c)

let () =
  all "it names the function that allocates" "small" in_small;
  all "it names the function that called the primitive" "large" in_large;
  all "it names the callers" "in_small" in_small;
  let first = callstacks ~callstack_size:1 in_large in
  Check.it "the innermost call comes first" (first <> [] && List.for_all (has "large") first)

(* A callback may come later than the event; the callstack is still that of the allocation. *)
let () =
  let elsewhere () = ignore (opaque (List.init 50 string_of_int)) in
  let c = callstacks (fun () -> let s = Marshal.to_string [ String.make 100 'x' ] [] in elsewhere (); s) in
  Check.it "a postponed callback has the callstack of its allocation"
    (c <> [] && List.for_all (fun c -> not (has "elsewhere" c)) c)

(* On another fiber, the callers of the handler are part of the stack. *)
let () =
  let open Effect.Deep in
  let handler = { retc = Fun.id; exnc = raise; effc = (fun _ -> None) } in
  let[@inline never] handled () = opaque (match_with (fun () -> ignore (small 1)) () handler) in
  all "it goes on beyond a fiber" "handled" handled
