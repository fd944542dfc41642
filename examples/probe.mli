(* SPDX-License-Identifier: MIT *)
(** What the example asks the runtime itself. Two modules have this interface:
    [bactrian/probe.ml] for Bactrian, [stock/probe.ml] for runtimes that cannot answer. *)

val available : bool

(** The heap's figures, counted by a walk over every block:
    [| live words; live blocks; free words; fragments |], then the same four from the
    counters at the same instant. Empty where not [available]. *)
val scan_heap : unit -> int array

(** A monotonic clock, in nanoseconds; always 0 where not [available]. *)
val clock : unit -> int
