(* SPDX-License-Identifier: MIT *)
(* Domains that wait, a pool of workers say, do none of the collector's work: the one that runs keeps to space_overhead without them. *)
(* variants: none *)
let lock = Mutex.create ()
let changed = Condition.create ()
let stop = ref false
let wait () = Mutex.protect lock (fun () -> while not !stop do Condition.wait changed lock done)

let () =
  let idle = List.init 24 (fun _ -> Domain.spawn wait) in
  let q = Queue.create () in
  for i = 1 to 1_500_000 do
    Queue.add (ref i) q;
    if Queue.length q > 200_000 then ignore (Queue.take q)
  done;
  (* A million words live: 120 percent more, of which pacing uses a twentieth more; a nursery; a block for each of many size classes. *)
  Check.between "the heap's top" 1_000_000 (2_310_000 + 256 * 1024 + 400_000) (Gc.quick_stat ()).Gc.top_heap_words;
  Mutex.protect lock (fun () -> stop := true; Condition.broadcast changed);
  List.iter Domain.join idle
