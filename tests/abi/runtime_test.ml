(* SPDX-License-Identifier: MIT *)
(* Calls the stubs of runtime_stubs.c: locks of channels under exceptions, timing hooks, ratios, a lack of memory. *)

external pipe : unit -> int * int = "r_pipe"
external open_in_descriptor : int -> in_channel = "caml_ml_open_descriptor_in"
external open_out_descriptor : int -> out_channel = "caml_ml_open_descriptor_out"
external alarm : int -> unit = "r_alarm"
external is_locked : 'channel -> bool = "r_is_locked"
external lock_and_fail : 'channel -> unit = "r_lock_and_fail"
external lock_and_exhaust : 'channel -> string = "r_lock_and_exhaust"
external lock_and_call : 'channel -> (unit -> unit) -> unit = "r_lock_and_call"
external lock_and_catch : 'channel -> (unit -> unit) -> bool = "r_lock_and_catch"
external hooks : bool -> unit = "r_hooks"
type counts = { minor : int; minor_ends : int; slices : int; slice_ends : int; finalisers : int; finaliser_ends : int;
                domains : int; misplaced : int }
external counts : unit -> counts = "r_counts"
external ratio : unit -> int = "r_ratio"
external sprintf_fails : unit -> string = "r_sprintf_fails"
external resident : unit -> int = "r_resident"
external large_collects : int -> bool = "r_large_collects"
external max_domains : unit -> int = "r_max_domains"

exception Plain

let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)

let piped () =
  let from, into = pipe () in
  open_in_descriptor from, open_out_descriptor into

let caught_in_c () = match int_of_string "no number" with exception Failure _ -> () | _ -> assert false
let finaliser_raises () =
  Gc.finalise (fun _ -> raise Plain) (ref 0);
  Gc.full_major ()

let locks () =
  let input, output = piped () in
  let released name channel f expected =
    let raised = match f () with exception e -> e = expected | _ -> false in
    check ("lock_" ^ name) (raised && not (is_locked channel))
  in
  released "failwith" input (fun () -> lock_and_fail input) (Failure "locked");
  released "out_of_memory" input (fun () -> ignore (lock_and_exhaust input)) Out_of_memory;
  released "callback_raises" input (fun () -> lock_and_call input (fun () -> raise Plain)) Plain;
  released "finaliser_raises" output (fun () -> lock_and_call output finaliser_raises) Plain;
  check "lock_inner_exception" (lock_and_catch input caught_in_c);
  check "lock_escaping_exception" (lock_and_catch input (fun () -> ignore (int_of_string "no number")));
  check "lock_stack_overflow" (lock_and_catch input (fun () -> let rec f n = 1 + f (n + 1) in ignore (f 0)));
  check "lock_of_another" (lock_and_catch input (fun () -> try lock_and_fail output with Failure _ -> ()));
  check "lock_of_another_released" (not (is_locked output) && not (is_locked input));
  output_string output "all the same\n";
  flush output;
  check "lock_then_input" (input_line input = "all the same")

(* The handler raises in the middle of a read from an empty pipe, and of a write to a full one. *)
let interrupted () =
  let input, output = piped () in
  Sys.set_signal Sys.sigalrm (Signal_handle (fun _ -> raise Plain));
  let reading name f =
    alarm 20;
    check ("interrupted_" ^ name) (match f () with exception Plain -> not (is_locked input) | _ -> false)
  in
  reading "input_char" (fun () -> ignore (input_char input));
  reading "input_line" (fun () -> ignore (input_line input));
  reading "input_value" (fun () -> ignore (input_value input));
  reading "really_input" (fun () -> ignore (really_input_string input 10));
  output_string output "after\n";
  flush output;
  check "interrupted_then_input" (input_line input = "after");
  (* This handler does not raise, and finds the channel free. *)
  let found_locked = ref true in
  Sys.set_signal Sys.sigalrm (Signal_handle (fun _ ->
    found_locked := is_locked input;
    output_string output "handler\n";
    flush output));
  alarm 20;
  check "interrupted_by_user" (input_line input = "handler" && not !found_locked);
  Sys.set_signal Sys.sigalrm (Signal_handle (fun _ -> raise Plain));
  alarm 20;
  check "interrupted_output"
    (match for _ = 1 to 100 do output_string output (String.make 65536 'x') done with
     | exception Plain -> not (is_locked output)
     | () -> false);
  check "interrupted_then_read" (input_char input = 'x');
  Sys.set_signal Sys.sigpipe Signal_ignore;
  close_in input;
  close_out_noerr output;
  Sys.set_signal Sys.sigalrm Signal_default

let balanced c =
  c.minor = c.minor_ends && c.slices = c.slice_ends && c.finalisers = c.finaliser_ends && c.misplaced = 0

let timing () =
  Gc.full_major ();
  hooks true;
  ignore (counts ());
  Gc.minor ();
  Gc.minor ();
  let c = counts () in
  check "hooks_minor" (c.minor >= 2 && balanced c);
  ignore (Gc.major_slice 1000);
  let c = counts () in
  check "hooks_slice" (c.slices >= 1 && c.minor >= 1 && balanced c);
  Gc.full_major ();
  let c = counts () in
  check "hooks_full_major" (c.slices >= 1 && c.minor >= 1 && c.finalisers = 0 && balanced c);
  for i = 1 to 3 do Gc.finalise (fun _ -> ()) (ref i) done;
  Gc.full_major ();
  let c = counts () in
  check "hooks_finalisers" (c.finalisers >= 1 && c.finalisers <= 3 && balanced c);
  let young = Sys.opaque_identity (List.init 300_000 string_of_int) in
  let c = counts () in
  check "hooks_allocation" (List.length young = 300_000 && c.minor >= 1 && balanced c);
  Domain.join (Domain.spawn (fun () -> Gc.full_major ()));
  let c = counts () in
  check "hooks_domain" (c.domains = 1 && c.minor >= 1 && balanced c);
  hooks false;
  Gc.full_major ();
  let c = counts () in
  check "hooks_taken_back" (c.minor = 0 && c.slices = 0)

let ratios () =
  check "ratio_at_start" (ratio () = (Gc.get ()).custom_major_ratio);
  Gc.set { (Gc.get ()) with custom_major_ratio = 55 };
  check "ratio_set" (ratio () = 55);
  Gc.set { (Gc.get ()) with custom_major_ratio = 0 };
  check "ratio_clamped" (ratio () = (Gc.get ()).custom_major_ratio)

(* The heap's limit, Xlimit, leaves no room for the array of such a call stack. *)
let exhausted () =
  let rec deep n f = if n = 0 then f () else 1 + deep (n - 1) f in
  let fails () = match Printexc.get_callstack max_int with exception Out_of_memory -> true | _ -> false in
  let ok = ref true in
  ignore (deep 500_000 (fun () ->
    ok := fails () && fails ();
    let before = resident () in
    for _ = 1 to 10 do ok := fails () && !ok done;
    (* Each has 1000 pages. *)
    check "callstack_loses_nothing" (resident () - before < 3000);
    0));
  check "callstack_out_of_memory" !ok

let () =
  match Sys.argv with
  | [| _; "exhausted" |] -> exhausted ()
  | _ ->
    ratios ();
    locks ();
    interrupted ();
    timing ();
    check "large_blocks_are_collected" (large_collects 20_000);
    check "max_domains" (max_domains () = 128);
    check "sprintf_fails" (match sprintf_fails () with exception Sys_error _ -> true | _ -> false)
