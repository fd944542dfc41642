(* SPDX-License-Identifier: MIT *)
(* Large arrays: 80 of 100,000 words, all dropped, then Gc.full_major. *)
open Figures

let () =
  Gc.full_major ();
  let live () = (quick ()).live_words and heap () = (quick ()).heap_words in
  let live0 = live () and heap0 = heap () in
  let kept = Array.init 80 (fun i -> Array.make 100_000 i) in
  count "live_grows_at_once" (live () - live0);
  count "heap_grows_at_once" (heap () - heap0);
  keep kept;
  Array.fill kept 0 80 [||];
  Gc.full_major ();
  count "live_after_drop_and_major" (live () - live0)
