(* SPDX-License-Identifier: MIT *)
(* Calls each stub of stubs.c and checks what comes back. *)

external tuples : 'a -> 'a -> Obj.t = "t_tuples"
external atoms : unit -> bool = "t_atoms"
external strings : int -> string * string * string * string * string * string array = "t_strings"
external numbers : unit -> float * int32 * int64 * nativeint * float array = "t_numbers"
type flag = A | B | C | D
external flags : flag list -> int = "t_flags"
external shared : 'a -> Obj.t array = "t_shared"
external is_young : 'a -> bool = "t_is_young"
external huge : unit -> string = "t_huge"
external roots_set : 'a -> 'b -> unit = "t_roots_set"
external roots_modify : 'a -> unit = "t_roots_modify"
external roots_get : unit -> 'a * 'b = "t_roots_get"
external roots_drop : unit -> unit = "t_roots_drop"
external begin_roots : 'a -> 'b -> 'a * 'b = "t_begin_roots"
external local_array : int -> int64 array = "t_local_array"
type pair
external pair : int -> int -> pair = "t_pair"
external pair_mem : int -> pair = "t_pair_mem"
external pair_final : int -> pair = "t_pair_final"
external finalised : unit -> int = "t_finalised"
external accounting : unit -> bool = "t_accounting"
external raise_it : int -> Obj.t -> unit = "t_raise"
external callbacks : (int -> int) -> (int -> int -> int) -> (int -> int -> int -> int) ->
  (int -> int -> int -> int -> int -> int) -> int * int * int * int = "t_callbacks"
external callback_exn : (unit -> string) -> string = "t_callback_exn"
external callback_res : (unit -> int) -> int = "t_callback_res"
external named : unit -> int = "t_named"
external blocking : unit -> bool = "t_blocking"
external kill_blocked : unit -> unit = "t_kill_blocked"
external kill_running : unit -> unit = "t_kill_running"
external kill_pending : unit -> bool = "t_kill_pending"
external kill_masked : unit -> unit = "t_kill_masked"
external unmask : unit -> unit = "t_unmask"
external stat : unit -> bool = "t_stat"
external cas : 'a ref -> 'a -> 'a -> bool = "t_cas"

exception Plain
exception Number of int
exception Two of int * int
exception Text of string

let check name ok = print_endline ((if ok then "ok " else "not ok ") ^ name)
let tag exn = Obj.repr (Obj.Extension_constructor.of_val exn)

let allocation () =
  let t = tuples "a" "b" in
  let f i = Obj.field t i in
  check "alloc_2" (Obj.tag (f 0) = 3 && Obj.obj (Obj.field (f 0) 1) = "b");
  check "alloc_some" (Obj.obj (f 1) = Some "a");
  check "alloc_9" (Obj.size (f 2) = 9 && Obj.obj (Obj.field (f 2) 8) = "a");
  check "alloc" (Obj.size (f 3) = 300 && Obj.obj (Obj.field (f 3) 299) = ());
  check "atoms" (atoms ());
  let a, b, c, d, e, f = strings 100_000 in
  check "copy_string" (a = "plain" && b = "a\000b");
  check "alloc_string" (c = String.make 100_000 'x');
  check "sprintf" (d = "42-fmt" && e = String.make 299 '0' ^ "7");
  check "string_array" (f = [| "alpha"; ""; "gamma" |]);
  check "numbers" (numbers () = (1.5, -7l, Int64.shift_left 1L 40, -9n, [| 0.; 0.5; 1. |]));
  check "flags" (flags [ A; C ] = 5 && flags [] = 0);
  let s = shared (ref 1) in
  Gc.full_major ();
  check "alloc_shr" (Obj.obj s.(999) = ref 1 && Obj.obj s.(500) = 5);
  check "is_young" (is_young (ref 0) && not (is_young s));
  check "huge" (match huge () with exception Out_of_memory -> true | _ -> false)

let roots () =
  roots_set (ref "plain") (ref "gen");
  Gc.compact ();
  check "global_roots" (roots_get () = (ref "plain", ref "gen"));
  roots_modify (ref "changed");
  Gc.minor ();
  Gc.compact ();
  check "generational_modify" (roots_get () = (ref "plain", ref "changed"));
  roots_drop ();
  check "begin_roots" (begin_roots (ref 1) [ 2 ] = (ref 1, [ 2 ]));
  check "local_array" (local_array 0 = Array.init 10 Int64.of_int)

let custom () =
  check "custom_compare" (compare (pair 1 2) (pair 2 1) < 0 && pair 3 1 = pair 3 2);
  check "custom_hash" (Hashtbl.hash (pair 3 1) = Hashtbl.hash (pair 3 2));
  let kept = pair 7 7 in
  for i = 1 to 10_000 do
    ignore (Sys.opaque_identity (pair i i));
    if i mod 10 = 0 then ignore (Sys.opaque_identity (pair_mem i));
    if i mod 10 = 0 then ignore (Sys.opaque_identity (pair_final i))
  done;
  Gc.full_major ();
  let n = finalised () in
  check "custom_finalisers" (n >= 11_990 && n <= 12_010);
  check "custom_kept" (kept = pair 7 0);
  check "accounting" (accounting ())

let raising () =
  let raises name which arg expected =
    check ("raise_" ^ name) (match raise_it which arg with exception e -> e = expected | () -> false)
  in
  let n = Obj.repr 0 in
  raises "failwith" 0 n (Failure "oops");
  raises "invalid_argument" 1 n (Invalid_argument "bad");
  raises "not_found" 2 n Not_found;
  raises "end_of_file" 3 n End_of_file;
  raises "zero_divide" 4 n Division_by_zero;
  raises "out_of_memory" 5 n Out_of_memory;
  raises "stack_overflow" 6 n Stack_overflow;
  raises "sys_blocked_io" 7 n Sys_blocked_io;
  raises "sys_error" 8 n (Sys_error "sys");
  raises "array_bound" 9 n (Invalid_argument "index out of bounds");
  raises "constant" 10 (tag Plain) Plain;
  raises "with_arg" 11 (tag (Number 0)) (Number 5);
  raises "with_args" 12 (tag (Two (0, 0))) (Two (1, 2));
  raises "with_string" 13 (tag (Text "")) (Text "text");
  raises "failwith_value" 14 n (Failure "value");
  raises "invalid_argument_value" 15 n (Invalid_argument "value");
  raises "sys_errno" 16 n (Sys_error "file: No such file or directory");
  raises "sys_errno_alone" 17 n (Sys_error "Permission denied");
  raises "sys_io_error" 18 n Sys_blocked_io;
  raises "exception_with_string" 19 (tag (Text "")) (Text "built");
  raises "exception_failure" 20 n (Failure "built")

let calling () =
  check "callbacks"
    (callbacks succ ( + ) (fun a b c -> a + b + c) (fun a b c d e -> a + b + c + d + e) = (2, 3, 6, 15));
  check "callback_exn" (callback_exn (fun () -> failwith "inner") = "Failure(\"inner\")");
  check "callback_exn_value" (callback_exn (fun () -> "value") = "value");
  check "callback_res" (callback_res (fun () -> 3) = 3 && callback_res (fun () -> raise Plain) = -1);
  check "callback_raises"
    (match callbacks (fun _ -> raise Plain) ( + ) (fun _ _ _ -> 0) (fun _ _ _ _ _ -> 0) with
     | exception Plain -> true
     | _ -> false);
  Callback.register "abi test" (fun x -> x + 1);
  check "named" (named () = 21);
  let r = ref 100 in
  Callback.register "abi test" (fun x -> x + !r);
  Gc.compact ();
  check "named_again" (named () = 120)

let signals () =
  let count = ref 0 in
  check "signal_was_default" (Sys.signal Sys.sigusr1 (Signal_handle (fun n ->
    if n = Sys.sigusr1 then incr count)) = Signal_default);
  check "blocking_errno" (blocking ());
  kill_blocked ();
  ignore (Sys.opaque_identity (ref 0));
  check "signal_blocking" (!count = 1);
  kill_running ();
  check "signal_process" (!count = 2);
  check "signal_pending" (kill_pending ());
  for _ = 1 to 3 do ignore (Sys.opaque_identity (ref 0)) done;
  check "signal_poll" (!count = 3);
  kill_masked ();
  check "signal_masked" (!count = 3);
  unmask ();
  check "signal_unmasked" (!count = 4);
  Sys.set_signal Sys.sigusr1 (Signal_handle (fun _ -> raise Plain));
  check "signal_raises" (match kill_running () with exception Plain -> true | () -> false);
  check "signal_raises_again"
    (match kill_blocked (); Sys.opaque_identity (ref 0) with exception Plain -> true | _ -> false);
  check "signal_was_handle"
    (match Sys.signal Sys.sigusr1 Signal_ignore with Signal_handle _ -> true | _ -> false);
  kill_running ();
  check "signal_was_ignore" (Sys.signal Sys.sigusr1 Signal_default = Signal_ignore);
  check "signal_unavailable"
    (match Sys.signal 1000 Signal_ignore with
     | exception Invalid_argument m -> m = "Sys.signal: unavailable signal"
     | _ -> false);
  check "signal_refused"
    (match Sys.signal Sys.sigkill Signal_ignore with
     | exception Sys_error m -> m = "Invalid argument"
     | _ -> false)

let () =
  allocation ();
  roots ();
  custom ();
  raising ();
  calling ();
  signals ();
  check "stat" (stat ());
  let r = ref (Some 1) in
  let old = !r in
  check "cas" (cas r old None && not (cas r old None) && !r = None)
