(* SPDX-License-Identifier: MIT *)
(* What the domains of the soak do: short pieces of work, each of which checks its own results and leaves nothing behind but what
   is in the shared slots, which are few. They take all that they do from the generator that they are given. *)
module R = Random.State

exception Wrong of string

let require what ok = if not ok then raise (Wrong what)
let opaque = Sys.opaque_identity

(* ---- Trees ---- *)

type tree = Leaf | Node of tree * int * string * tree

let rec tree rng depth =
  if depth = 0 || R.int rng 8 = 0 then Leaf
  else
    let n = R.int rng 1000 in
    Node (tree rng (depth - 1), n, string_of_int n, tree rng (depth - 1))

let rec total = function Leaf -> 0 | Node (l, n, s, r) -> require "a tree" (int_of_string s = n); total l + n + total r
let rec mirror = function Leaf -> Leaf | Node (l, n, s, r) -> Node (mirror r, n, String.cat s "", mirror l)

let trees rng =
  let t = tree rng (6 + R.int rng 8) in
  require "mirrored tree" (total (mirror t) = total t)

(* ---- Effects ---- *)

type _ Effect.t += Yield : unit Effect.t | Ask : int -> string Effect.t

let rec deep n = if n = 0 then int_of_string (Effect.perform (Ask 0)) else 1 + deep (n - 1)

(* Fibers in a queue; each yields, asks from the depth of its stack, and adds its figure to the sum. Some are cut off, some forgotten. *)
let fibers rng =
  let open Effect.Deep in
  let queue : (unit, unit) continuation Queue.t = Queue.create () and sum = ref 0 and cut = ref 0 in
  let fiber depth () =
    match Effect.perform Yield; deep depth + (Effect.perform Yield; 1) with
    | n -> sum := !sum + n
    | exception Exit -> incr cut
  in
  let run f =
    match_with f ()
      { retc = Fun.id; exnc = raise;
        effc = (fun (type a) (e : a Effect.t) ->
          match e with
          | Yield -> Some (fun (k : (a, unit) continuation) -> Queue.push k queue)
          | Ask n -> Some (fun (k : (a, unit) continuation) -> continue k (string_of_int n))
          | _ -> None) }
  in
  let depths = List.init (1 + R.int rng 30) (fun _ -> R.int rng 2000) in
  List.iter (fun d -> run (fiber d)) depths;
  let expected = ref (List.fold_left (fun s d -> s + d + 1) 0 depths) and round = Array.of_list depths in
  let next = ref 0 and cut_off = ref 0 in
  for _ = 1 to Array.length round do
    let d = round.(!next) and k = Queue.pop queue in
    incr next;
    match R.int rng 8 with
    | 0 -> expected := !expected - d - 1; incr cut_off; discontinue k Exit
    | 1 -> expected := !expected - d - 1
    | _ -> continue k ()
  done;
  while not (Queue.is_empty queue) do continue (Queue.pop queue) () done;
  require "sum of fibers" (!sum = !expected && !cut = !cut_off)

let shallow rng =
  let open Effect.Shallow in
  let n = 1 + R.int rng 200 in
  let rec loop k asked =
    continue_with k ()
      { retc = (fun () -> asked); exnc = raise;
        effc = (fun (type a) (e : a Effect.t) ->
          match e with Yield -> Some (fun (k : (a, unit) continuation) -> loop k (asked + 1)) | _ -> None) }
  in
  require "shallow handler" (loop (fiber (fun () -> for i = 1 to n do ignore (opaque (ref i)); Effect.perform Yield done)) 0 = n)

(* ---- Exceptions ---- *)

exception Found of int * string

let rec fall n = if n = 0 then raise (Found (n, "bottom")) else 1 + fall (n - 1)
let rec climb n = try 1 + fall n with Found (m, s) when n > 40_000 || m < 0 -> raise (Found (n, s))

let exceptions rng =
  let n = R.int rng 50_000 and cleaned = ref 0 in
  (match Fun.protect ~finally:(fun () -> incr cleaned) (fun () -> climb n) with
   | _ -> require "an exception" false
   | exception Found (m, s) ->
     let trace = Printexc.get_raw_backtrace () in
     ignore (opaque (Printexc.raw_backtrace_to_string trace));
     require "what was raised" (s = "bottom" && (m = 0 || m = n)));
  for _ = 1 to 100 do
    match List.find (fun i -> i < 0) [ 1; 2; 3 ] with _ -> require "not found" false | exception Not_found -> incr cleaned
  done;
  require "handlers" (!cleaned = 101)

(* On a fiber of its own, which goes with it; the runner sets the limit. *)
let overflow _ =
  let rec endless n = if n < 0 then 0 else 1 + endless (n + 1) in
  if (Gc.get ()).stack_limit <= 1024 * 1024 then
    match Effect.Deep.match_with endless 0 { retc = Fun.id; exnc = raise; effc = (fun _ -> None) } with
    | _ -> require "an overflow" false
    | exception Stack_overflow -> ()

(* ---- Weak tables ---- *)

module Strings = Weak.Make (struct type t = string let equal = String.equal let hash = Hashtbl.hash end)
module Keyed = Ephemeron.K1.Make (struct type t = string let equal = ( == ) let hash = Hashtbl.hash end)

let weak_tables rng =
  let n = 100 + R.int rng 3000 in
  let table = Strings.create 16 and keyed = Keyed.create 16 in
  let kept = Array.init n (fun i -> let s = Strings.merge table (string_of_int i) in Keyed.replace keyed s (i, [ s ]); s) in
  for i = 0 to n - 1 do if i mod 3 <> 0 then kept.(i) <- "" done;
  if R.bool rng then Gc.minor ();
  for i = 0 to n - 1 do
    if i mod 3 = 0 then begin
      require "weak set" (Strings.merge table (string_of_int i) == kept.(i));
      match Keyed.find keyed kept.(i) with
      | j, [ s ] -> require "ephemeron's data" (i = j && s == kept.(i))
      | _ -> require "ephemeron's data" false
    end
  done;
  let count = Strings.count table in
  require "weak set's size" (Array.length (opaque kept) = n && count >= (n + 2) / 3 && count <= n)

(* Seen by all domains. *)
let shared_weak : tree Weak.t = Weak.create 64

let weak_shared rng =
  for _ = 1 to 50 do
    let i = R.int rng 64 in
    match Weak.get shared_weak i with
    | Some t -> ignore (opaque (total t))
    | None -> Weak.set shared_weak i (Some (tree rng 6))
  done

(* ---- Memory outside the heap ---- *)

let bigarrays rng =
  let open Bigarray in
  let n = 1 + R.int rng 100_000 in
  let a = Array1.create int c_layout n in
  for i = 0 to n - 1 do Array1.unsafe_set a i (i * 3) done;
  let from = R.int rng n in
  let part = Array1.sub a from (n - from) in
  let copy = Array1.create int c_layout (n - from) in
  Array1.blit part copy;
  for _ = 1 to 100 do let i = R.int rng (n - from) in require "bigarray" (copy.{i} = (from + i) * 3) done;
  for _ = 1 to 20 do ignore (opaque (Array1.create char c_layout (1 + R.int rng 50_000))) done;
  let square = reshape_2 (genarray_of_array1 (Array1.sub copy 0 ((n - from) / 2 * 2))) 2 ((n - from) / 2) in
  require "bigarray's shape" (Array2.dim2 square = (n - from) / 2)

let mapped_file rng =
  let name = Filename.temp_file "soak" ".map" in
  let fd = Unix.openfile name [ O_RDWR; O_CLOEXEC ] 0 in
  Sys.remove name;
  let n = 1 + R.int rng 100_000 in
  let a = Bigarray.array1_of_genarray (Unix.map_file fd Bigarray.int Bigarray.c_layout true [| n |]) in
  Unix.close fd;
  for i = 0 to n - 1 do a.{i} <- i done;
  let i = R.int rng n in
  require "mapped file" (a.{i} = i)

(* ---- Marshal ---- *)

type everything = { t : tree; f : float array; i : int64; o : everything option; mutable self : everything option; s : string }

let marshal rng =
  let s = String.make (R.int rng 10_000) 'm' in
  let part = { t = tree rng 8; f = Array.init (R.int rng 100) float_of_int; i = R.bits64 rng; o = None; self = None; s } in
  let whole = { part with o = Some part } in
  whole.self <- Some whole;
  let data = Marshal.to_string whole [] in
  let back : everything = Marshal.from_string data 0 in
  require "cycle" (match back.self with Some b -> b == back | None -> false);
  require "sharing" (match back.o with Some p -> p.t == back.t && p.s == back.s | None -> false);
  require "marshalled value" (back.t = part.t && back.f = part.f && back.i = part.i && back.s = s);
  let n = R.int rng 1000 in
  let f : int -> int = Marshal.from_string (Marshal.to_string (fun x -> x + n) [ Closures ]) 0 in
  require "marshalled closure" (f 1 = n + 1);
  match (Marshal.from_bytes (Bytes.of_string (String.sub data 0 (String.length data / 2))) 0 : everything) with
  | _ -> require "half a value" false
  | exception (Failure _ | Invalid_argument _) -> ()

(* ---- The collector's controls ---- *)

let collections rng =
  match R.int rng 30 with
  | 0 -> Gc.compact ()
  | 1 -> Gc.full_major ()
  | 2 | 3 -> Gc.major ()
  | 4 | 5 | 6 -> ignore (Gc.major_slice (R.int rng 10_000))
  | 7 | 8 -> Gc.set { (Gc.get ()) with minor_heap_size = 4096 lsl R.int rng 5; space_overhead = 40 + R.int rng 200 }
  | 9 ->
    let s = Gc.quick_stat () in
    require "Gc.quick_stat" (s.heap_words = s.live_words + s.free_words + s.fragments)
  | _ -> Gc.minor ()

let finalised = Atomic.make 0 and to_finalise = Atomic.make 0

let finalisers rng =
  for i = 1 to 1 + R.int rng 200 do
    Atomic.incr to_finalise;
    if i mod 2 = 0 then Gc.finalise (fun r -> require "a finalised value" (!r = i); Atomic.incr finalised) (opaque (ref i))
    else Gc.finalise_last (fun () -> Atomic.incr finalised) (opaque (ref i))
  done

let profiled rng =
  let module M = Gc.Memprof in
  let samples = ref 0 and died = ref 0 in
  let note _ = incr samples; Some () and gone () = incr died in
  let profile =
    M.start ~sampling_rate:0.01 ~callstack_size:10
      { alloc_minor = note; alloc_major = note; promote = Option.some; dealloc_minor = gone; dealloc_major = gone } in
  Fun.protect (fun () -> trees rng; exceptions rng) ~finally:M.stop;
  M.discard profile;
  require "profile" (!died <= !samples)

(* ---- Between domains ---- *)

let slots = Array.init 32 (fun _ -> Atomic.make (0, Leaf))

let exchange rng =
  for _ = 1 to 50 do
    let t = tree rng 5 in
    let n, other = Atomic.exchange slots.(R.int rng 32) (total t, t) in
    require "a tree of another domain" (total other = n)
  done

let lock = Mutex.create ()
let table : (int, string list) Hashtbl.t = Hashtbl.create 16

let shared_table rng =
  for _ = 1 to 50 do
    let key = R.int rng 500 in
    Mutex.protect lock (fun () ->
        match Hashtbl.find_opt table key with
        | Some l when List.length l < 10 -> Hashtbl.replace table key (string_of_int key :: l)
        | Some l -> List.iter (fun s -> require "shared table" (s = string_of_int key)) l; Hashtbl.remove table key
        | None -> Hashtbl.add table key [])
  done

(* Threads of one domain hand trees on to each other, by a place that holds one. *)
let threads rng =
  let lock = Mutex.create () and changed = Condition.create () and place = ref None and n = 1 + R.int rng 20 in
  let all = List.init (3 * n) (fun _ -> tree rng 5) in
  let rec until ready = match ready () with Some x -> Condition.broadcast changed; x | None -> Condition.wait changed lock; until ready in
  let put t = Mutex.protect lock (fun () -> until (fun () -> if !place = None then Some (place := Some t) else None)) in
  let take () = Mutex.protect lock (fun () -> until (fun () -> let t = !place in place := None; t)) in
  let sum = Atomic.make 0 in
  let receiver () = for _ = 1 to n do ignore (Atomic.fetch_and_add sum (total (mirror (take ())))) done in
  let receivers = List.init 3 (fun _ -> Thread.create receiver ()) in
  List.iter put all;
  List.iter Thread.join receivers;
  require "what threads were given" (Atomic.get sum = List.fold_left (fun s t -> s + total t) 0 all)

(* ---- Signals ---- *)

let handled = Atomic.make 0

let install_handlers () =
  let note _ = ignore (opaque (List.init 20 string_of_int)); Atomic.incr handled in
  List.iter (fun s -> Sys.set_signal s (Signal_handle note)) [ Sys.sigusr1; Sys.sigusr2; Sys.sigalrm ]

let signals rng =
  let before = Atomic.get handled in
  Unix.kill (Unix.getpid ()) (if R.bool rng then Sys.sigusr1 else Sys.sigusr2);
  while Atomic.get handled = before do ignore (opaque (ref 0)); Domain.cpu_relax () done

(* ---- Processes ---- *)

let rec wait pid = try snd (Unix.waitpid [] pid) with Unix.Unix_error (EINTR, _, _) -> wait pid

(* This program, started again: it gets a tree and answers it mirrored, both marshalled. A fork is possible only before it has a
   second domain. *)
let child () =
  (match Unix.fork () with
   | 0 -> Gc.compact (); Unix.execv "/bin/sh" [| "sh"; "-c"; "exit 5" |]
   | pid -> require "a fork's exit code" (wait pid = WEXITED 5));
  set_binary_mode_in stdin true;
  set_binary_mode_out stdout true;
  let t : tree = Marshal.from_channel stdin in
  Domain.join (Domain.spawn (fun () -> Marshal.to_channel stdout (mirror t) []));
  exit 7

let processes rng =
  if R.int rng 3 = 0 then require "Sys.command" (Sys.command "exit 3" = 3)
  else begin
    let from_us, to_child = Unix.pipe ~cloexec:true () and from_child, to_us = Unix.pipe ~cloexec:true () in
    let pid = Unix.create_process Sys.executable_name [| "soak"; "child" |] from_us to_us Unix.stderr in
    Unix.close from_us;
    Unix.close to_us;
    let t = tree rng 10 in
    let oc = Unix.out_channel_of_descr to_child and ic = Unix.in_channel_of_descr from_child in
    Marshal.to_channel oc t [];
    close_out oc;
    let back : tree = Marshal.from_channel ic in
    close_in ic;
    require "a child's exit code" (wait pid = WEXITED 7);
    require "a child's answer" (mirror back = t)
  end

(* ---- The mix ---- *)

let often = [| trees; fibers; shallow; exceptions; weak_tables; weak_shared; bigarrays; marshal; collections; finalisers; exchange; shared_table |]
let seldom = [| overflow; mapped_file; threads; signals; processes; profiled |]

let one rng =
  let from = if R.int rng 20 = 0 then seldom else often in
  from.(R.int rng (Array.length from)) rng
