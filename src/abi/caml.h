/* SPDX-License-Identifier: MIT */
/* What a primitive needs: the functions of the public headers that our own
 * C code uses, and local roots.
 *
 * A primitive is a C function of 1 to 5 values (more: a second, "bytecode"
 * form that takes an array and a count) that the bytecode interpreter and
 * native code call. Its definition starts with CAMLprim at the start of a line:
 * tools/primitives reads the table of built-in primitives off these lines.
 *
 * Names and contracts are those of the manual ("Interfacing C with OCaml");
 * stubs that were compiled with the stock headers find the same symbols.
 * [may gc]: values in C locals that are no roots are stale afterwards;
 * [may run OCaml]: also runs OCaml code; [raises]: may not return. */
#ifndef BAC_ABI_CAML_H
#define BAC_ABI_CAML_H

#include "abi/5.3/domain_state.h"
#include "gc/gc.h"

#define CAMLprim __attribute__((visibility("default")))
#define CAMLexport __attribute__((visibility("default")))

/* ---- Local roots ----
 *
 *     CAMLprim value caml_pair(value a, value b)
 *     {
 *       LOCAL_ROOTS(&a, &b);
 *       value pair = caml_alloc_small(2, 0);   // a and b may have moved
 *       ...
 *       return pair;
 *     }
 *
 * The named locals (up to 5 in one use, several uses in one function) stay true
 * across collections until the scope ends; initialise them first. An exception drops
 * them too. The frame has the layout of the stock CAMLparam macros, so both may be mixed. */
struct caml__roots_block {
  struct caml__roots_block *next;
  intnat ntables;
  intnat nitems;
  value *tables[5];
};
static inline void local_roots_pop_(struct caml__roots_block *frame)
{
  Caml_state->local_roots = frame->next;
}
#define LOCAL_ROOTS_NAME2_(line) local_roots_##line##_
#define LOCAL_ROOTS_NAME_(line) LOCAL_ROOTS_NAME2_(line)
#define LOCAL_ROOTS(...)                                                        \
  __attribute__((cleanup(local_roots_pop_)))                                    \
  struct caml__roots_block LOCAL_ROOTS_NAME_(__LINE__) = {                      \
      Caml_state->local_roots,                                                  \
      sizeof((value *[]){__VA_ARGS__}) / sizeof(value *), 1, {__VA_ARGS__}};    \
  Caml_state->local_roots = &LOCAL_ROOTS_NAME_(__LINE__)
/* The same for an array of count values. */
#define LOCAL_ROOT_ARRAY(array, count)                                          \
  __attribute__((cleanup(local_roots_pop_)))                                    \
  struct caml__roots_block LOCAL_ROOTS_NAME_(__LINE__) = {                      \
      Caml_state->local_roots, 1, (count), {(array)}};                          \
  Caml_state->local_roots = &LOCAL_ROOTS_NAME_(__LINE__)

/* ---- Allocation (src/abi/alloc.c). All [may gc], raise Out_of_memory, run no OCaml. ---- */
value caml_alloc(mlsize_t wosize, tag_t tag);             /* fields Val_unit; wosize 0: Atom */
value caml_alloc_small(mlsize_t wosize, tag_t tag);       /* 1..Max_young_wosize; fields not set */
value caml_alloc_shr(mlsize_t wosize, tag_t tag);         /* major heap; fields not set; does not collect */
value caml_alloc_tuple(mlsize_t n);
value caml_alloc_string(mlsize_t bytes);                  /* padding set, contents not */
value caml_alloc_initialized_string(mlsize_t bytes, const char *from);
value caml_copy_string(const char *s);
value caml_copy_string_array(const char *const *strings); /* NULL-terminated */
value caml_alloc_array(value (*of)(const char *), const char *const *from);
value caml_alloc_float_array(mlsize_t n);                 /* n = 0: Atom(0) */
value caml_copy_double(double d);
value caml_copy_int32(int32_t n);
value caml_copy_int64(int64_t n);
value caml_copy_nativeint(intnat n);
value caml_alloc_some(value v);
value caml_alloc_sprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
value caml_alloc_1(tag_t tag, value a);
value caml_alloc_2(tag_t tag, value a, value b);
value caml_alloc_3(tag_t tag, value a, value b, value c);
value caml_alloc_4(tag_t tag, value a, value b, value c, value d);
value caml_check_urgent_gc(value v);                      /* polls the collector; returns v, moved */
/* The block of size 0 with this tag. It is static, outside the heap. */
#define Atom(tag) (caml_atom(tag))
value caml_atom(tag_t tag);

/* ---- Fields (src/abi/memory.c) ---- */
void caml_modify(value *field, value v);
void caml_initialize(value *field, value v);
#define Store_field(block, i, v) caml_modify(&Field((block), (i)), (v))

/* ---- C heap (src/abi/memory.c). The _noexc forms answer NULL, the others raise Out_of_memory. ---- */
void *caml_stat_alloc(asize_t size);
void *caml_stat_alloc_noexc(asize_t size);
void *caml_stat_resize(void *p, asize_t size);
void *caml_stat_resize_noexc(void *p, asize_t size);
void *caml_stat_calloc_noexc(asize_t n, asize_t size);
void caml_stat_free(void *p);
char *caml_stat_strdup(const char *s);

/* ---- Custom blocks (src/abi/custom.c) ---- */
struct custom_fixed_length { intnat bsize_32, bsize_64; };
typedef int custom_order(value a, value b);            /* -1, 0, 1 */
struct custom_operations {
  const char *identifier;                               /* names the kind in marshalled data */
  void (*finalize)(value);                              /* [no gc]; NULL: none */
  custom_order *compare;                                /* NULL: such values cannot be compared */
  intnat (*hash)(value);
  void (*serialize)(value, uintnat size_on_32[1], uintnat size_on_64[1]);   /* bytes */
  uintnat (*deserialize)(void *data);                   /* the bytes that it filled */
  custom_order *compare_ext;                            /* against an integer */
  const struct custom_fixed_length *fixed_length;       /* NULL: the size is written with each value */
};
#define Custom_ops_val(v) (*((const struct custom_operations **)(v)))
value caml_alloc_custom(const struct custom_operations *ops, uintnat bytes, mlsize_t mem, mlsize_t max);
value caml_alloc_custom_mem(const struct custom_operations *ops, uintnat bytes, mlsize_t mem);
void caml_register_custom_operations(const struct custom_operations *ops);
struct custom_operations *caml_find_custom_operations(const char *identifier);
struct custom_operations *caml_final_custom_operations(void (*finalise)(value)); /* its own table: only a finaliser */
extern const struct custom_operations caml_int32_ops, caml_int64_ops, caml_nativeint_ops, caml_ba_ops;
#define Int32_val(v) (*((int32_t *)Data_custom_val(v)))
#define Int64_val(v) (*((int64_t *)Data_custom_val(v)))
#define Nativeint_val(v) (*((intnat *)Data_custom_val(v)))

/* ---- Exceptions (raise: src/bytecode/raise.c; the others: src/abi/fail.c). None returns. [may gc] ---- */
_Noreturn void caml_raise(value exn);
_Noreturn void caml_raise_constant(value tag);
_Noreturn void caml_raise_with_arg(value tag, value arg);
_Noreturn void caml_raise_with_args(value tag, int nargs, value args[]);
_Noreturn void caml_raise_with_string(value tag, const char *msg);
_Noreturn void caml_failwith(const char *msg);
_Noreturn void caml_failwith_value(value msg);
_Noreturn void caml_invalid_argument(const char *msg);
_Noreturn void caml_invalid_argument_value(value msg);
_Noreturn void caml_raise_out_of_memory(void);
_Noreturn void caml_raise_stack_overflow(void);
_Noreturn void caml_raise_sys_error(value msg);
_Noreturn void caml_raise_end_of_file(void);
_Noreturn void caml_raise_zero_divide(void);
_Noreturn void caml_raise_not_found(void);
_Noreturn void caml_raise_sys_blocked_io(void);
_Noreturn void caml_array_bound_error(void);
_Noreturn void caml_sys_error(value arg);                 /* Sys_error "arg: strerror(errno)"; arg may be Val_unit = none */
_Noreturn void caml_sys_io_error(value arg);              /* the same, but EAGAIN raises Sys_blocked_io */

/* ---- Callbacks (src/bytecode/callback.c). [may run OCaml] ---- */
value caml_callback(value f, value a);                    /* raises what f raises */
value caml_callback2(value f, value a, value b);
value caml_callback3(value f, value a, value b, value c);
value caml_callbackN(value f, int n, value args[]);
value caml_callback_exn(value f, value a);                /* an exception comes back marked */
value caml_callback2_exn(value f, value a, value b);
value caml_callback3_exn(value f, value a, value b, value c);
value caml_callbackN_exn(value f, int n, value args[]);
#define Make_exception_result(v) ((v) | 2)
#define Is_exception_result(v) (((v) & 3) == 2)
#define Extract_exception(v) ((v) & ~(value)3)
const value *caml_named_value(const char *name);          /* NULL: not registered. [no gc] (src/abi/named.c) */

/* ---- Blocking sections and pending actions (src/abi/signals.c) ---- */
void caml_enter_blocking_section(void);                   /* runs pending actions first: [may run OCaml] [raises] */
void caml_enter_blocking_section_no_pending(void);
void caml_leave_blocking_section(void);
/* Signals, finalisers, memory-profiler callbacks, collector work. [may run OCaml] */
void caml_process_pending_actions(void);                  /* [raises] */
value caml_process_pending_actions_exn(void);             /* Val_unit or an exception result */
value caml_process_pending_actions_with_root_exn(value v);
int caml_check_pending_actions(void);                     /* [no gc] */

/* ---- Structural operations and strings (src/prims) ---- */
value caml_compare(value a, value b);
value caml_equal(value a, value b);
value caml_hash(value count, value limit, value seed, value v);
value caml_hash_variant(const char *name);
value caml_string_equal(value a, value b);
static inline mlsize_t caml_string_length_(value s) { return string_length(s); }
bool caml_string_is_c_safe_(value s);                     /* no NUL inside */
char *caml_strdup_of_value(value s);                      /* caml_stat_alloc'ed copy */

#endif
