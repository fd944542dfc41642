(* SPDX-License-Identifier: MIT *)
(* runparam: V=1 *)
(* variants: none *)
(* Stacks of continuations that nobody resumes are freed, whether these die young or old, and however often their stacks have been
   suspended and resumed before. *)
open Effect
open Effect.Deep

type _ Effect.t += Yield : unit Effect.t

let suspended : (unit, unit) continuation option array = Array.make 20_000 None

let start i yields =
  match_with (fun () -> for _ = 1 to yields do perform Yield done) ()
    { retc = ignore; exnc = raise;
      effc = (fun (type a) (e : a Effect.t) ->
        match e with Yield -> Some (fun (k : (a, unit) continuation) -> suspended.(i) <- Some k) | _ -> None) }

let resume i =
  match suspended.(i) with
  | Some k -> suspended.(i) <- None; continue k ()
  | None -> ()

let resident_kb () =
  let file = open_in "/proc/self/status" in
  let rec find () = try Scanf.sscanf (input_line file) "VmRSS: %d" Fun.id with Scanf.Scan_failure _ -> find () in
  Fun.protect find ~finally:(fun () -> close_in file)

(* So much grows what is resident over the second to the last of so many rounds; a stack takes a kilobyte. *)
let growth rounds f =
  f ();
  Gc.full_major ();
  let before = resident_kb () in
  for _ = 2 to rounds do f () done;
  Gc.full_major ();
  resident_kb () - before

(* A sanitizer keeps what is freed for a while. *)
let sanitized = match Sys.getenv_opt "MODE" with Some ("asan" | "tsan") -> true | _ -> false
let rounds = if sanitized then 2 else 12

let dropped name f =
  let grew = growth rounds f in
  Check.between (name ^ ": growth in kB") min_int (if sanitized then max_int else 40_000) grew

(* All at once: many of them old when they are dropped, and the list of the young ones grows meanwhile. *)
let () =
  dropped "20,000 at once, resumed three times" (fun () ->
      for i = 0 to 19_999 do start i 10 done;
      for _ = 1 to 3 do for i = 0 to 19_999 do resume i done done;
      Array.fill suspended 0 20_000 None)

(* One at a time: they die young. *)
let () =
  dropped "20,000 in turn, resumed three times" (fun () ->
      for _ = 1 to 20_000 do
        start 0 10;
        for _ = 1 to 3 do resume 0 done;
        suspended.(0) <- None
      done)

(* The same with other young blocks whose death matters between them. *)
let () =
  dropped "with custom blocks" (fun () ->
      for i = 1 to 20_000 do
        start (i land 7) 10;
        ignore (Sys.opaque_identity (Bigarray.Array1.create Bigarray.char Bigarray.c_layout 10));
        resume (i land 7);
        ignore (Sys.opaque_identity (Bigarray.Array1.create Bigarray.char Bigarray.c_layout 10));
        resume (i * 5 land 7)
      done)

(* Those that go on in another domain than the one that suspended them first. *)
let () =
  dropped "in another domain" (fun () ->
      for i = 0 to 4_999 do start i 10 done;
      Domain.join (Domain.spawn (fun () ->
          for _ = 1 to 3 do for i = 0 to 4_999 do resume i done done;
          Array.fill suspended 0 5_000 None));
      for i = 0 to 4_999 do start i 2; resume i; resume i done)
