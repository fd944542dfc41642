(* SPDX-License-Identifier: MIT *)
(* Objects: classes with inheritance, methods found by name and by self, objects that are made and copied, open rows. *)
class virtual shape x y =
  object (self)
    val mutable x = x
    val mutable y = y
    method virtual area : int
    method virtual name : string
    method move dx dy = x <- x + dx; y <- y + dy
    method position = (x * 31) + y
    method weight = self#area + self#position
    method grow (_ : int) = ()
  end

class square x y side =
  object (self)
    inherit shape x y
    val mutable side = side
    method area = side * side
    method name = "square"
    method! grow n = side <- (side + n) land 63
    method perimeter = 4 * side
    method twice = self#perimeter + self#perimeter
  end

class rectangle x y w h =
  object
    inherit shape x y as super
    method area = w * h
    method name = "rectangle"
    method! move dx dy = super#move dx 0; super#move 0 dy
  end

class cube x y side =
  object (self)
    inherit square x y side as super
    method volume = super#area * side
    method! area = 6 * super#area
    method! name = "cube" ^ string_of_int (self#perimeter land 3)
  end

class counter =
  object (self)
    val mutable n = 0
    method incr = n <- n + 1
    method get = n
    method twice = self#incr; self#incr
  end

class ['a] stack =
  object
    val mutable items : 'a list = []
    method push x = items <- x :: items
    method pop = match items with [] -> None | x :: rest -> items <- rest; Some x
    method fold : 'b. ('b -> 'a -> 'b) -> 'b -> 'b = fun f init -> List.fold_left f init items
  end

let get_of o = o#get
let double_of o = (o#perimeter : int) + o#twice

let () =
  let sum = ref 0 in
  let add n = sum := (!sum + n) land 0xffff_ffff in
  let shapes = [| (new square 1 2 3 :> shape); (new rectangle 1 2 3 4 :> shape); (new cube 3 2 1 :> shape); (new square 5 6 7 :> shape) |] in
  for i = 1 to 600_000 do
    let s = shapes.(i land 3) in
    s#move i (-i);
    s#grow 1;
    add s#weight;
    if i land 15 = 0 then add (String.length s#name)
  done;
  let c = new counter in
  for _ = 1 to 1_500_000 do
    c#twice
  done;
  add (get_of c + get_of (object method get = 17 end));
  let squares = Array.init 64 (fun i -> new square i i i) in
  for i = 1 to 500_000 do
    add (double_of squares.(i land 63))
  done;
  for i = 1 to 500_000 do
    let q = new square i i (i land 7) in
    let copy = Oo.copy q in
    copy#grow i;
    add (copy#area + q#area);
    if q < copy then add 1
  done;
  let stack = new stack in
  for i = 1 to 500_000 do
    stack#push i;
    if i land 3 = 3 then match stack#pop with Some n -> add n | None -> ()
  done;
  add (stack#fold ( + ) 0);
  let value = object (self) val scale = 3 method apply f = f (self#scaled 2) + scale method private scaled n = n * scale end in
  for i = 1 to 500_000 do
    add (value#apply (fun n -> n + i))
  done;
  Printf.printf "%d\n" !sum
