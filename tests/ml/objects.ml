(* SPDX-License-Identifier: MIT *)
(* Objects: methods, self, dispatch through many classes, structural types. *)
let counter start = object (self)
  val mutable n = start
  method get = n
  method incr = n <- n + 1
  method twice = self#incr; self#incr; self#get
end
class virtual animal name = object (self)
  method virtual sound : string
  method name : string = name
  method speak = Printf.printf "%s says %s\n" self#name self#sound
end
class dog = object inherit animal "dog" method sound = "woof" end
class cat n = object inherit animal n as super method sound = "meow" method! name = "the " ^ super#name end
class ['a] stack = object
  val mutable items : 'a list = []
  method push x = items <- x :: items
  method pop = match items with [] -> raise Not_found | x :: r -> items <- r; x
  method size = List.length items
  method map : 'b. ('a -> 'b) -> 'b list = fun f -> List.map f items
end
class point x0 = object (self : 'self)
  val mutable x = x0
  val id = Oo.id (object end) * 0
  method x = x + id
  method move d = x <- x + d
  method moved d = {< x = x + d >}
  method equal (o : 'self) = o#x = self#x
  initializer if x0 < 0 then x <- 0
end
class colored x c = object inherit point x method color : string = c end
class a1 = object method m = 1 end
class a2 = object inherit a1 method! m = 2 method n = 20 end
class a3 = object inherit a2 as s method! m = s#m + 1 end
let () =
  let c = counter 5 in
  Printf.printf "%d %d\n" c#twice c#get;
  List.iter (fun a -> a#speak) [ (new dog :> animal); (new cat "tom" :> animal) ];
  let s = new stack in
  for i = 1 to 10 do s#push i done;
  Printf.printf "%d %d %s\n" s#pop s#size (String.concat "," (s#map string_of_int));
  let p = new point 3 in
  let q = p#moved 4 in
  p#move 1;
  Printf.printf "%d %d %b %d\n" p#x q#x (p#equal q) (new point (-5))#x;
  let cp = new colored 7 "red" in
  Printf.printf "%d %s %b\n" cp#x cp#color (cp#equal (new colored 7 "blue"));
  let o = object method a1 = 1 method a2 = 2 method a3 = 3 method long_method_name_here = "long" end in
  Printf.printf "%d %s\n" (o#a1 + o#a2 + o#a3) o#long_method_name_here;
  let call (x : < m : int ; .. >) = x#m in
  let total = ref 0 in
  for i = 1 to 3000 do
    total := !total + (match i mod 3 with 0 -> call (new a1) | 1 -> call (new a2) | _ -> call (new a3))
  done;
  Printf.printf "%d\n" !total;
  let cp2 = Oo.copy p in
  cp2#move 100; Printf.printf "%d %d %b\n" p#x cp2#x (p = p);
  Printf.printf "%d\n" (compare p p);
  print_endline (try ignore (compare (object method m = 1 end) (object method m = 2 end) = 0); "compared" with Invalid_argument m -> m)
