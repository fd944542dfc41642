/* SPDX-License-Identifier: MIT */
/* C stubs compiled with the stock headers, as any library's are. stubs_test.ml calls them. */
#include <caml/alloc.h>
#include <caml/address_class.h>
#include <caml/callback.h>
#include <caml/custom.h>
#include <caml/fail.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>
#include <caml/printexc.h>
#include <caml/signals.h>
#include <caml/sys.h>
#include <caml/threads.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Known to every stub's author, though the headers show them to the runtime only. */
void caml_minor_collection(void);
CAMLnoret void caml_sys_error(value);
CAMLnoret void caml_sys_io_error(value);

/* ---- Allocation ---- */

value t_tuples(value a, value b)
{
  CAMLparam2(a, b);
  CAMLlocal1(list);
  list = caml_alloc_tuple(4);
  Store_field(list, 0, caml_alloc_2(3, a, b));
  Store_field(list, 1, caml_alloc_some(a));
  Store_field(list, 2, caml_alloc_9(0, a, b, a, b, a, b, a, b, a));
  Store_field(list, 3, caml_alloc(300, 0));
  CAMLreturn(list);
}

value t_atoms(value unit)
{
  return Val_bool(Wosize_val(Atom(0)) == 0 && Tag_val(Atom(17)) == 17 && Atom(3) == caml_alloc(0, 3) &&
                  caml_alloc_float_array(0) == Atom(0));
}

value t_strings(value n)
{
  static const char *const words[] = {"alpha", "", "gamma", NULL};
  CAMLparam0();
  CAMLlocal2(result, s);
  result = caml_alloc(6, 0);
  Store_field(result, 0, caml_copy_string("plain"));
  Store_field(result, 1, caml_alloc_initialized_string(3, "a\0b"));
  s = caml_alloc_string(Long_val(n));
  memset(Bytes_val(s), 'x', Long_val(n));
  Store_field(result, 2, s);
  Store_field(result, 3, caml_alloc_sprintf("%d-%s", 42, "fmt"));
  Store_field(result, 4, caml_alloc_sprintf("%0*d", 300, 7));
  Store_field(result, 5, caml_copy_string_array(words));
  CAMLreturn(result);
}

value t_numbers(value unit)
{
  CAMLparam0();
  CAMLlocal1(result);
  result = caml_alloc(5, 0);
  Store_field(result, 0, caml_copy_double(1.5));
  Store_field(result, 1, caml_copy_int32(-7));
  Store_field(result, 2, caml_copy_int64(INT64_C(1) << 40));
  Store_field(result, 3, caml_copy_nativeint(-9));
  value floats = caml_alloc_float_array(3);
  for (int i = 0; i < 3; i++) Store_double_flat_field(floats, i, i / 2.0);
  Store_field(result, 4, floats);
  CAMLreturn(result);
}

value t_flags(value list)
{
  static const int table[] = {1, 2, 4, 8};
  return Val_int(caml_convert_flag_list(list, table));
}

value t_shared(value v)
{
  CAMLparam1(v);
  CAMLlocal1(block);
  block = caml_alloc_shr(1000, 0);
  for (int i = 0; i < 1000; i++) caml_initialize(&Field(block, i), v);
  caml_modify(&Field(block, 500), Val_int(5));
  block = caml_check_urgent_gc(block);
  CAMLreturn(block);
}

value t_is_young(value v) { return Val_bool(Is_young(v)); }

value t_huge(value unit) { return caml_alloc_string((mlsize_t)1 << 60); }

/* ---- Roots ---- */

static value plain_root = Val_unit, generational_root = Val_unit;

value t_roots_set(value a, value b)
{
  plain_root = a;
  generational_root = b;
  caml_register_global_root(&plain_root);
  caml_register_generational_global_root(&generational_root);
  return Val_unit;
}
value t_roots_modify(value b)
{
  caml_modify_generational_global_root(&generational_root, b);
  return Val_unit;
}
value t_roots_get(value unit) { return caml_alloc_2(0, plain_root, generational_root); }
value t_roots_drop(value unit)
{
  caml_remove_global_root(&plain_root);
  caml_remove_generational_global_root(&generational_root);
  return Val_unit;
}

/* Old style macros. */
value t_begin_roots(value a, value b)
{
  value pair;
  Begin_roots2(a, b);
  caml_minor_collection();
  pair = caml_alloc_small(2, 0);
  Field(pair, 0) = a;
  Field(pair, 1) = b;
  End_roots();
  return pair;
}

value t_local_array(value n)
{
  CAMLparam1(n);
  CAMLlocalN(items, 10);
  CAMLlocal1(result);
  for (int i = 0; i < 10; i++) items[i] = caml_copy_int64(i);
  caml_minor_collection();
  result = caml_alloc(10, 0);
  for (int i = 0; i < 10; i++) Store_field(result, i, items[i]);
  CAMLreturn(result);
}

/* ---- Custom blocks ---- */

static int finalised;
struct pair { long a, b; };
#define Pair_val(v) ((struct pair *)Data_custom_val(v))
static void pair_finalize(value v) { finalised++; }
static int pair_compare(value x, value y) { return Pair_val(x)->a - Pair_val(y)->a; }
static intnat pair_hash(value v) { return Pair_val(v)->a; }
static struct custom_operations pair_ops = {
    "bactrian.test.pair",       pair_finalize,
    pair_compare,               pair_hash,
    custom_serialize_default,   custom_deserialize_default,
    custom_compare_ext_default, custom_fixed_length_default};

value t_pair(value a, value b)
{
  value v = caml_alloc_custom(&pair_ops, sizeof(struct pair), 0, 1);
  Pair_val(v)->a = Long_val(a);
  Pair_val(v)->b = Long_val(b);
  return v;
}
value t_pair_mem(value a)
{
  value v = caml_alloc_custom_mem(&pair_ops, sizeof(struct pair), 100000);
  Pair_val(v)->a = Long_val(a);
  return v;
}
value t_pair_final(value a)
{
  value v = caml_alloc_final(2, pair_finalize, 1, 1000);
  Field(v, 1) = a;
  return v;
}
value t_finalised(value unit) { return Val_int(finalised); }
value t_accounting(value unit)
{
  caml_adjust_gc_speed(1, 1000);
  caml_adjust_gc_speed(1, 0);
  caml_alloc_dependent_memory(1 << 20);
  caml_free_dependent_memory(1 << 20);
  return Val_bool(caml_custom_get_max_major() > 0);
}

/* ---- Exceptions ---- */

value t_raise(value which, value exn)
{
  CAMLparam2(which, exn);
  value args[2] = {Val_int(1), Val_int(2)};
  switch (Int_val(which)) {
  case 0: caml_failwith("oops");
  case 1: caml_invalid_argument("bad");
  case 2: caml_raise_not_found();
  case 3: caml_raise_end_of_file();
  case 4: caml_raise_zero_divide();
  case 5: caml_raise_out_of_memory();
  case 6: caml_raise_stack_overflow();
  case 7: caml_raise_sys_blocked_io();
  case 8: caml_raise_sys_error(caml_copy_string("sys"));
  case 9: caml_array_bound_error();
  case 10: caml_raise_constant(exn);
  case 11: caml_raise_with_arg(exn, Val_int(5));
  case 12: caml_raise_with_args(exn, 2, args);
  case 13: caml_raise_with_string(exn, "text");
  case 14: caml_failwith_value(caml_copy_string("value"));
  case 15: caml_invalid_argument_value(caml_copy_string("value"));
  case 16: errno = ENOENT; caml_sys_error(caml_copy_string("file"));
  case 17: errno = EACCES; caml_sys_error(Val_unit);
  case 18: errno = EAGAIN; caml_sys_io_error(Val_unit);
  case 19: caml_raise(caml_exception_with_string(exn, "built"));
  case 20: caml_raise(caml_exception_failure("built"));
  default: CAMLreturn(Val_unit);
  }
}

/* ---- Callbacks ---- */

value t_callbacks(value f1, value f2, value f3, value f5)
{
  CAMLparam4(f1, f2, f3, f5);
  CAMLlocal1(result);
  value args[5] = {Val_int(1), Val_int(2), Val_int(3), Val_int(4), Val_int(5)};
  result = caml_alloc(4, 0);
  Store_field(result, 0, caml_callback(f1, Val_int(1)));
  Store_field(result, 1, caml_callback2(f2, Val_int(1), Val_int(2)));
  Store_field(result, 2, caml_callback3(f3, Val_int(1), Val_int(2), Val_int(3)));
  Store_field(result, 3, caml_callbackN(f5, 5, args));
  CAMLreturn(result);
}

value t_callback_exn(value f)
{
  value result = caml_callback_exn(f, Val_unit);
  if (!Is_exception_result(result)) return result;
  return caml_copy_string(caml_format_exception(Extract_exception(result)));
}

value t_callback_res(value f)
{
  caml_result result = caml_callback_res(f, Val_unit);
  return caml_result_is_exception(result) ? Val_int(-1) : caml_get_value_or_raise(result);
}

value t_named(value unit)
{
  const value *f = caml_named_value("abi test");
  if (f == NULL || caml_named_value("no such name") != NULL) return Val_int(-1);
  return caml_callback(*f, Val_int(20));
}

/* ---- Blocking sections, signals ---- */

value t_blocking(value unit)
{
  caml_enter_blocking_section();
  errno = 1234;
  caml_leave_blocking_section();
  return Val_bool(errno == 1234);
}
value t_kill_blocked(value unit)
{
  caml_enter_blocking_section();
  kill(getpid(), SIGUSR1);
  caml_leave_blocking_section();
  return Val_unit;
}
value t_kill_running(value unit)
{
  kill(getpid(), SIGUSR1);
  caml_process_pending_actions();
  return Val_unit;
}
value t_kill_pending(value unit)
{
  kill(getpid(), SIGUSR1);
  return Val_bool(caml_check_pending_actions());
}
/* The mask is respected: nothing runs until it is given up. */
value t_kill_masked(value unit)
{
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &one, NULL);
  kill(getpid(), SIGUSR1);
  caml_process_pending_actions();
  return Val_unit;
}
value t_unmask(value unit)
{
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  caml_process_pending_actions();
  return Val_unit;
}

/* ---- The C heap ---- */

value t_stat(value unit)
{
  char *s = caml_stat_strdup("abc"), *joined = caml_stat_strconcat(3, s, "-", "def");
  char *p = caml_stat_alloc(10);
  void *block;
  memset(p, 1, 10);
  p = caml_stat_resize(p, 10000);
  char *aligned = caml_stat_alloc_aligned(100, 8, &block);
  int ok = strcmp(joined, "abc-def") == 0 && p[9] == 1 && ((uintnat)aligned + 8) % 4096 == 0;
  int *zeros = caml_stat_calloc_noexc(100, sizeof(int));
  ok = ok && zeros[99] == 0;
  caml_stat_free(zeros);
  caml_stat_free(block);
  caml_stat_free(p);
  caml_stat_free(joined);
  caml_stat_free(s);
  caml_stat_free(NULL);
  return Val_bool(ok);
}

value t_cas(value block, value expected, value desired)
{
  return Val_bool(caml_atomic_cas_field(block, 0, expected, desired));
}
