(* SPDX-License-Identifier: MIT *)
(** What only the runtime knows. [bactrian/probe.ml] asks it; [stock/probe.ml] is for runtimes that cannot answer. *)

val marked_words : unit -> int
(** Words scanned by marking since the program started; -1 where it cannot be told. *)
