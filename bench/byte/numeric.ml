(* SPDX-License-Identifier: MIT *)
(* Integers: calls that do nothing but count, loops over bits, divisions, a sieve. *)
let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)

let rec queens all columns left right =
  if columns = all then 1
  else begin
    let found = ref 0 and free = ref (all land lnot (columns lor left lor right)) in
    while !free <> 0 do
      let place = !free land - !free in
      free := !free lxor place;
      found := !found + queens all (columns lor place) ((left lor place) lsl 1) ((right lor place) lsr 1)
    done;
    !found
  end

let collatz most =
  let longest = ref 0 and at = ref 0 in
  for start = 1 to most do
    let n = ref start and steps = ref 0 in
    while !n <> 1 do
      n := if !n land 1 = 0 then !n / 2 else (3 * !n) + 1;
      incr steps
    done;
    if !steps > !longest then begin
      longest := !steps;
      at := start
    end
  done;
  !at

let sieve most =
  let composite = Bytes.make (most + 1) '\000' and primes = ref 0 in
  for i = 2 to most do
    if Bytes.get composite i = '\000' then begin
      incr primes;
      let j = ref (i * i) in
      while !j <= most do
        Bytes.set composite !j '\001';
        j := !j + i
      done
    end
  done;
  !primes

let rec gcd a b = if b = 0 then a else gcd b (a mod b)

let gcds most =
  let sum = ref 0 in
  for a = 1 to most do
    for b = 1 to most do
      sum := !sum + gcd a b
    done
  done;
  !sum

let () = Printf.printf "%d %d %d %d %d\n" (fib 32) (queens 1023 0 0 0) (collatz 150_000) (sieve 2_000_000) (gcds 800)
