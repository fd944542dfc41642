(* SPDX-License-Identifier: MIT *)
(* Do the heap's counters stay true while it is compacted again and again?

   usage: compaction_stats [-q] [DOMAINS [ROUNDS [SECONDS]]]     (4 domains, 100 rounds, no time limit)

   The first domain calls Gc.compact in rounds. Of the others one allocates and drops small cells, the
   next spins in a loop that only reads the clock, the third allocates and drops trees,
   strings and large arrays; and so on in turn. After each compaction a line shows live words, live blocks, free words and
   fragments from the counters, and the same from a scan of the heap; with -q only each 100th.
   A round is a MISMATCH when
     - a counter differs from the scan made at the same instant, or
     - a counter is negative, or
     - heap words <> live + free + fragments.
   The scan is the runtime's own (Probe), which stock OCaml does not have: there the counters are held to the last two.

   The largest pause is the longest time between two looks at the clock by a domain that spins (with
   more domains than cores, waiting for a core counts too); without such a domain it is the
   longest Gc.compact, which is printed as well. SECONDS limits the run by processor time.
   Exit code: 0 without a mismatch, 1 with one. *)

let usage = "compaction_stats [-q] [DOMAINS [ROUNDS [SECONDS]]]"

let parse_arguments () =
  let quiet = ref false and places = ref [] in
  Arg.parse [ ("-q", Arg.Set quiet, " print each 100th round only") ] (fun s -> places := !places @ [ s ]) usage;
  let at i default = match List.nth_opt !places i with Some s -> float_of_string s | None -> default in
  (!quiet, int_of_float (at 0 4.), int_of_float (at 1 100.), at 2 infinity)

let stop = Atomic.make false
let ready = Atomic.make 0

type cell = { left : cell option; right : cell option; name : string }

let rec tree depth =
  if depth = 0 then { left = None; right = None; name = string_of_int depth }
  else { left = Some (tree (depth - 1)); right = Some (tree (depth - 1)); name = string_of_int depth }

let rec count cell =
  let side = function None -> 0 | Some c -> count c in
  1 + side cell.left + side cell.right

(* A ring of small cells, replaced at random: at any time there is much that has just died. *)
let renew_cells seed =
  let ring = Array.make 10_000 [] and i = ref seed in
  Atomic.incr ready;
  while not (Atomic.get stop) do
    i := ((!i * 1103515245) + 12345) land 0x3fffffff;
    ring.(!i mod 10_000) <- [ !i; seed ]
  done

(* Trees, strings and arrays of very different sizes, kept for a while; the trees are counted. *)
let renew_structures seed =
  let rng = Random.State.make [| seed |] in
  let trees = Array.make 32 None and strings = Array.make 16 "" and arrays = Array.make 16 [||] in
  Atomic.incr ready;
  while not (Atomic.get stop) do
    let i = Random.State.int rng 32 in
    (match trees.(i) with Some (d, t) when count t <> (2 lsl d) - 1 -> failwith "a tree is damaged" | _ -> ());
    let depth = Random.State.int rng 10 in
    trees.(i) <- (if i land 3 = 0 then None else Some (depth, tree depth));
    strings.(i land 15) <- String.make (Random.State.int rng 5000) 'x';
    arrays.(i lsr 1) <- Array.make (Random.State.int rng (if i = 0 then 200_000 else 2000)) i
  done

(* The longest gap between two looks at the clock, in nanoseconds. *)
let spin () =
  Atomic.incr ready;
  let longest = ref 0 and last = ref (Probe.clock ()) in
  while not (Atomic.get stop) do
    let now = Probe.clock () in
    if now - !last > !longest then longest := now - !last;
    last := now
  done;
  !longest

type figures = { live : int; blocks : int; free : int; fragments : int }

let show f = Printf.sprintf "%9d %8d %9d %7d" f.live f.blocks f.free f.fragments
let of_array a i = { live = a.(i); blocks = a.(i + 1); free = a.(i + 2); fragments = a.(i + 3) }
let is_negative f = f.live < 0 || f.blocks < 0 || f.free < 0 || f.fragments < 0

let line quiet round text =
  if (not quiet) || round mod 100 = 0 then Printf.printf "%5d  %s\n%!" round text

(* What is wrong with the figures of one round, or "". *)
let judge (s : Gc.stat) counted scanned =
  if is_negative counted then "MISMATCH: negative"
  else if s.heap_words <> s.live_words + s.free_words + s.fragments then "MISMATCH: heap words are not the sum"
  else match scanned with Some f when f <> counted -> "MISMATCH: scan and counters differ" | _ -> ""

type totals = { rounds : int; mismatches : int; lowest_free : int; longest_compact : int }

let round quiet t =
  let start = Probe.clock () in
  Gc.compact ();
  let pause = Probe.clock () - start in
  let s = Gc.quick_stat () in
  let counted, scanned =
    if Probe.available then
      let a = Probe.scan_heap () in
      (of_array a 4, Some (of_array a 0))
    else ({ live = s.live_words; blocks = s.live_blocks; free = s.free_words; fragments = s.fragments }, None)
  in
  let wrong = judge s counted scanned and number = t.rounds + 1 in
  if number mod 100 = 0 || (not quiet) || (wrong <> "" && t.mismatches < 5) then
    Printf.printf "%5d  %s | %s%s\n%!" number (show counted)
      (match scanned with None -> "no scan on this runtime" | Some f -> show f)
      (if wrong = "" then "" else "  " ^ wrong);
  { rounds = number;
    mismatches = (if wrong = "" then t.mismatches else t.mismatches + 1);
    lowest_free = min t.lowest_free (min counted.free s.free_words);
    longest_compact = max t.longest_compact pause }

let rec all_rounds quiet rounds seconds t =
  if t.rounds >= rounds || Sys.time () > seconds then t else all_rounds quiet rounds seconds (round quiet t)

let start_helper i =
  Domain.spawn (fun () ->
      match i mod 3 with
      | 1 -> renew_cells i; 0
      | 2 -> spin ()
      | _ -> renew_structures i; 0)

let () =
  let quiet, domains, rounds, seconds = parse_arguments () in
  let helpers = List.init (domains - 1) (fun i -> start_helper (i + 1)) in
  while Atomic.get ready < domains - 1 do Domain.cpu_relax () done;
  Printf.printf "%d domains; live words, live blocks, free words, fragments: counters | scan\n%!" domains;
  let t = all_rounds quiet rounds seconds { rounds = 0; mismatches = 0; lowest_free = max_int; longest_compact = 0 } in
  Atomic.set stop true;
  let gap = List.fold_left (fun longest d -> max longest (Domain.join d)) 0 helpers in
  let ms ns = float ns /. 1e6 in
  Printf.printf "%d rounds, %d mismatches; lowest free words %d" t.rounds t.mismatches t.lowest_free;
  if Probe.available then
    Printf.printf "; largest pause %.1f ms, longest Gc.compact %.1f ms"
      (ms (if gap > 0 then gap else t.longest_compact)) (ms t.longest_compact);
  print_newline ();
  exit (if t.mismatches > 0 then 1 else 0)
