(* SPDX-License-Identifier: MIT *)
(* Maps: versions of a map of strings stay, while it is changed, split and united. *)
module M = Map.Make (struct
  type t = string

  let compare a b =
    Probe.pass ();
    String.compare a b
end)

let key i = "key" ^ string_of_int (i * 7919 mod 200_003)

let () =
  let versions = Array.make 50 M.empty in
  let map = ref M.empty in
  for i = 1 to Probe.scale 400_000 do
    map := M.update (key i) (function None -> Some i | Some j -> Some (i + j)) !map;
    if i land 3 = 0 then map := M.remove (key (i * 3)) !map;
    if i mod 4000 = 0 then versions.(i / 4000 mod 50) <- !map;
    if i mod 100_000 = 0 then begin
      let low, _, high = M.split (key i) !map in
      map := M.union (fun _ a b -> Some (a + b)) low (M.filter (fun _ n -> Probe.pass (); n land 7 <> 0) high)
    end
  done;
  let sum map n = M.fold (fun _ a b -> Probe.pass (); a + b) map n in
  Probe.finish (Array.fold_left (fun n m -> sum m n) (sum !map 0) versions)
