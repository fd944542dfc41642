(* SPDX-License-Identifier: MIT *)
(* An alarm runs on the domain that created it, until that domain ends. *)
let () =
  let where = Atomic.make [] in
  let self () = (Domain.self () :> int) in
  let rec note id = let l = Atomic.get where in if not (Atomic.compare_and_set where l (id :: l)) then note id in
  let created = Atomic.make false and go_on = Atomic.make true in
  let d = Domain.spawn (fun () ->
      ignore (Gc.create_alarm (fun () -> note (self ())));
      Atomic.set created true;
      while Atomic.get go_on do ignore (Sys.opaque_identity (ref 0)); Domain.cpu_relax () done;
      self ()) in
  while not (Atomic.get created) do Domain.cpu_relax () done;
  for _ = 1 to 5 do Gc.full_major () done;
  let tries = ref 0 in
  while Atomic.get where = [] && !tries < 1000 do incr tries; Gc.full_major () done;
  Atomic.set go_on false;
  let id = Domain.join d in
  let calls = Atomic.get where in
  Check.it "it is called" (calls <> []);
  Check.it "on its own domain only" (List.for_all (( = ) id) calls);
  for _ = 1 to 5 do Gc.full_major () done;
  Check.int "not after the domain has ended" (List.length calls) (List.length (Atomic.get where))
