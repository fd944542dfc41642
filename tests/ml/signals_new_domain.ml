(* SPDX-License-Identifier: MIT *)
(* Signals that reach a domain at its very start: no handler runs before the domain's local
   storage exists, since a handler may use it. Stock 5.3.0 crashes here now and then, so the
   domain count is small and the outcome does not depend on the timing. *)
let key = Domain.DLS.new_key (fun () -> 0)
let () =
  Sys.set_signal Sys.sigusr1 (Sys.Signal_handle (fun _ -> Domain.DLS.set key (Domain.DLS.get key + 1)));
  let sum = ref 0 in
  for i = 1 to 20 do
    let d = Domain.spawn (fun () -> ignore (Domain.DLS.get key); i) in
    sum := !sum + Domain.join d
  done;
  Printf.printf "%d\n" !sum
