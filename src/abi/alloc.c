/* SPDX-License-Identifier: MIT */
/* Allocation for C code: the functions of <caml/alloc.h>.
 *
 * Small blocks are cut from the nursery here, without a call into the collector
 * while there is room; all else goes to gc.h. Where the collector has no memory left,
 * Out_of_memory is raised. A size that no block can have raises it too.
 *
 * No state but the atoms, which are constants. Every function runs on a RUNNING
 * domain's own thread and may collect, but runs no OCaml code. */
#include "abi/runtime.h"

#include <stdio.h>

/* ---- Atoms ---- */

#define ATOM(tag) ((header_t)3 << HEADER_COLOUR_SHIFT) | (tag)
#define ATOMS_4(tag) ATOM(tag), ATOM((tag) + 1), ATOM((tag) + 2), ATOM((tag) + 3)
#define ATOMS_16(tag) ATOMS_4(tag), ATOMS_4((tag) + 4), ATOMS_4((tag) + 8), ATOMS_4((tag) + 12)
#define ATOMS_64(tag) ATOMS_16(tag), ATOMS_16((tag) + 16), ATOMS_16((tag) + 32), ATOMS_16((tag) + 48)

/* Headers of size 0, one after the other: the address after each is an atom. */
static const header_t atoms[256 + 1] = {ATOMS_64(0), ATOMS_64(64), ATOMS_64(128), ATOMS_64(192)};

CAMLexport value caml_atom(tag_t tag) { return Val_hp((void *)&atoms[tag & 0xff]); }

/* ---- Blocks ---- */

static COLD value out_of_memory(void) { caml_raise_out_of_memory(); }

/* The header is written, the fields are not. 1 <= wosize <= Max_young_wosize.
 * 0: there is no room just now, or an interrupt is pending. [no gc] */
static inline value nursery_try(mlsize_t wosize, tag_t tag)
{
  caml_domain_state *state = Caml_state;
  value *hp = state->young_ptr - (wosize + 1);
  if (unlikely((uintnat)hp < __atomic_load_n(&state->young_limit, __ATOMIC_RELAXED))) return 0;
  state->young_ptr = hp;
  *(header_t *)hp = Make_header(wosize, tag, 0);
  return Val_hp(hp);
}

static NOINLINE value nursery_refilled(mlsize_t wosize, tag_t tag)
{
  caml_domain_state *state = Caml_state;
  gc_nursery_alloc(state->domain, wosize + 1);
  *(header_t *)state->young_ptr = Make_header(wosize, tag, 0);
  return Val_hp(state->young_ptr);
}

static inline value nursery_block(mlsize_t wosize, tag_t tag)
{
  value v = nursery_try(wosize, tag);
  return likely(v) ? v : nursery_refilled(wosize, tag);
}

CAMLexport value caml_alloc_small(mlsize_t wosize, tag_t tag)
{
  if (unlikely(wosize == 0)) return Atom(tag);
  DCHECK(wosize <= Max_young_wosize);
  return nursery_block(wosize, tag);
}

/* Any size above 0. Scannable fields are Val_unit, others are not set. */
static value block_of_any_size(mlsize_t wosize, tag_t tag)
{
  value v = wosize <= Max_wosize ? gc_alloc(domain_self(), wosize, tag) : 0;
  return v ? v : out_of_memory();
}

CAMLexport value caml_alloc(mlsize_t wosize, tag_t tag)
{
  if (wosize == 0) return Atom(tag);
  if (wosize > Max_young_wosize) return block_of_any_size(wosize, tag);
  value v = nursery_block(wosize, tag);
  if (tag < No_scan_tag)
    for (mlsize_t i = 0; i < wosize; i++) Field(v, i) = Val_unit;
  return v;
}

CAMLexport value caml_alloc_tuple(mlsize_t n) { return caml_alloc(n, 0); }

CAMLexport value caml_alloc_shr_noexc(mlsize_t wosize, tag_t tag)
{
  if (wosize == 0) return Atom(tag);
  return wosize <= Max_wosize ? gc_alloc_major(domain_self(), wosize, tag) : 0;
}

CAMLexport value caml_alloc_shr(mlsize_t wosize, tag_t tag)
{
  value v = caml_alloc_shr_noexc(wosize, tag);
  return v ? v : out_of_memory();
}

/* The last argument were bits of the header above the size; this build has none. */
CAMLexport value caml_alloc_shr_reserved(mlsize_t wosize, tag_t tag, uintnat reserved)
{
  return caml_alloc_shr(wosize, tag);
}

/* As caml_alloc_shr, and then polls: so the fields get a value first. */
CAMLexport value caml_alloc_shr_check_gc(mlsize_t wosize, tag_t tag)
{
  value v = caml_alloc_shr(wosize, tag);
  if (tag < No_scan_tag)
    for (mlsize_t i = 0; i < wosize; i++) Field(v, i) = Val_unit;
  return caml_check_urgent_gc(v);
}

CAMLexport value caml_check_urgent_gc(value v)
{
  struct domain *d = domain_self();
  if (domain_has_interrupts(d)) {
    LOCAL_ROOTS(&v);
    if (gc_poll(d)) caml_set_action_pending(Caml_state);
  }
  return v;
}

/* The slow path of the stock Alloc_small macro, which has moved young_ptr down
 * already and found no room. flags: 1 counts for the profiler, 2 the caller is
 * OCaml code, so that actions may run here. */
CAMLexport void caml_alloc_small_dispatch(caml_domain_state *state, intnat wosize, int flags,
                                          int count, unsigned char *lengths)
{
  size_t whsize = (size_t)wosize + 1;
  state->young_ptr += whsize;
  if (flags & 2) caml_process_pending_actions();
  gc_nursery_alloc(state->domain, whsize);
}

/* ---- Blocks with given fields ---- */

/* The fields are roots while the nursery is collected, since what they point to may move. */
static NOINLINE value block_of_fields_refilled(tag_t tag, mlsize_t n, value *fields)
{
  LOCAL_ROOT_ARRAY(fields, (intnat)n);
  value v = nursery_refilled(n, tag);
  memcpy(Op_val(v), fields, Bsize_wsize(n));
  return v;
}

static inline value block_of_fields(tag_t tag, mlsize_t n, value *fields)
{
  value v = nursery_try(n, tag);
  if (unlikely(v == 0)) return block_of_fields_refilled(tag, n, fields);
  memcpy(Op_val(v), fields, Bsize_wsize(n));
  return v;
}
#define BLOCK_OF(tag, ...)                                                  \
  block_of_fields((tag), sizeof((value[]){__VA_ARGS__}) / sizeof(value), \
                  (value[]){__VA_ARGS__})

CAMLexport value caml_alloc_1(tag_t tag, value a) { return BLOCK_OF(tag, a); }
CAMLexport value caml_alloc_2(tag_t tag, value a, value b) { return BLOCK_OF(tag, a, b); }
CAMLexport value caml_alloc_3(tag_t tag, value a, value b, value c)
{
  return BLOCK_OF(tag, a, b, c);
}
CAMLexport value caml_alloc_4(tag_t tag, value a, value b, value c, value d)
{
  return BLOCK_OF(tag, a, b, c, d);
}
CAMLexport value caml_alloc_5(tag_t tag, value a, value b, value c, value d, value e)
{
  return BLOCK_OF(tag, a, b, c, d, e);
}
CAMLexport value caml_alloc_6(tag_t tag, value a, value b, value c, value d, value e, value f)
{
  return BLOCK_OF(tag, a, b, c, d, e, f);
}
CAMLexport value caml_alloc_7(tag_t tag, value a, value b, value c, value d, value e, value f,
                              value g)
{
  return BLOCK_OF(tag, a, b, c, d, e, f, g);
}
CAMLexport value caml_alloc_8(tag_t tag, value a, value b, value c, value d, value e, value f,
                              value g, value h)
{
  return BLOCK_OF(tag, a, b, c, d, e, f, g, h);
}
CAMLexport value caml_alloc_9(tag_t tag, value a, value b, value c, value d, value e, value f,
                              value g, value h, value i)
{
  return BLOCK_OF(tag, a, b, c, d, e, f, g, h, i);
}

CAMLexport value caml_alloc_some(value v) { return BLOCK_OF(Tag_some, v); }

/* ---- Numbers ---- */

CAMLexport value caml_copy_double(double d)
{
  value v = nursery_block(Double_wosize, Double_tag);
  Store_double_val(v, d);
  return v;
}

/* These have no finaliser, so the collector need not know of them. */
static inline value boxed_integer(const struct custom_operations *ops)
{
  value v = nursery_block(2, Custom_tag);
  Custom_ops_val(v) = ops;
  return v;
}

CAMLexport value caml_copy_int32(int32_t n)
{
  value v = boxed_integer(&caml_int32_ops);
  Field(v, 1) = 0;
  Int32_val(v) = n;
  return v;
}

CAMLexport value caml_copy_int64(int64_t n)
{
  value v = boxed_integer(&caml_int64_ops);
  Int64_val(v) = n;
  return v;
}

CAMLexport value caml_copy_nativeint(intnat n)
{
  value v = boxed_integer(&caml_nativeint_ops);
  Nativeint_val(v) = n;
  return v;
}

CAMLexport value caml_alloc_float_array(mlsize_t n)
{
  if (n == 0) return Atom(0);
  if (n <= Max_young_wosize) return nursery_block(n, Double_array_tag);
  return block_of_any_size(n, Double_array_tag);
}

/* ---- Strings ---- */

CAMLexport value caml_alloc_string(mlsize_t bytes)
{
  mlsize_t wosize = bytes / sizeof(value) + 1;
  value s = wosize <= Max_young_wosize ? nursery_block(wosize, String_tag)
                                       : block_of_any_size(wosize, String_tag);
  Field(s, wosize - 1) = 0;
  Byte_u(s, Bsize_wsize(wosize) - 1) = (unsigned char)(Bsize_wsize(wosize) - 1 - bytes);
  return s;
}

CAMLexport value caml_alloc_initialized_string(mlsize_t bytes, const char *from)
{
  value s = caml_alloc_string(bytes);
  memcpy(Bytes_val(s), from, bytes);
  return s;
}

CAMLexport value caml_copy_string(const char *s)
{
  return caml_alloc_initialized_string(strlen(s), s);
}

CAMLexport value caml_alloc_sprintf(const char *fmt, ...)
{
  char small[128];
  va_list args;
  va_start(args, fmt);
  int length = vsnprintf(small, sizeof small, fmt, args);
  va_end(args);
  if (length < 0) caml_sys_error(Val_unit);
  if ((size_t)length < sizeof small) return caml_alloc_initialized_string((size_t)length, small);

  char *large = caml_stat_alloc((size_t)length + 1);
  va_start(args, fmt);
  vsnprintf(large, (size_t)length + 1, fmt, args);
  va_end(args);
  value s = caml_alloc_initialized_string((size_t)length, large);
  caml_stat_free(large);
  return s;
}

/* ---- Arrays and lists ---- */

CAMLexport value caml_alloc_array(value (*of)(const char *), const char *const *from)
{
  mlsize_t n = 0;
  while (from[n] != NULL) n++;
  value array = caml_alloc(n, 0);
  LOCAL_ROOTS(&array);
  for (mlsize_t i = 0; i < n; i++) {
    value item = of(from[i]);
    Store_field(array, i, item);
  }
  return array;
}

CAMLexport value caml_copy_string_array(const char *const *strings)
{
  return caml_alloc_array(caml_copy_string, strings);
}

/* The union of the table's entries for a list of constant constructors. */
CAMLexport int caml_convert_flag_list(value list, const int *table)
{
  int flags = 0;
  for (; Is_block(list); list = Field(list, 1)) flags |= table[Int_val(Field(list, 0))];
  return flags;
}
