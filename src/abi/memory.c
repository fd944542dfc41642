/* SPDX-License-Identifier: MIT */
/* Stores into blocks, global roots, memory outside the heap, and the
 * accounting of it: the functions of <caml/memory.h> that do not allocate blocks.
 *
 * The barriers and the roots are gc.h's under the public names. Memory outside
 * the heap is the C library's. No state. */
#include "abi/runtime.h"

#include "base/bits.h"
#include "base/memory.h"

#include <stdlib.h>

/* ---- Fields ---- */

CAMLexport void caml_modify(value *field, value v) { gc_write_field(domain_self(), field, v); }
CAMLexport void caml_initialize(value *field, value v) { gc_init_field(domain_self(), field, v); }

CAMLexport int caml_atomic_cas_field(value block, intnat i, value expected, value desired)
{
  return gc_cas_field(domain_self(), &Field(block, i), expected, desired);
}

/* ---- Global roots ---- */

CAMLexport void caml_register_global_root(value *slot) { gc_root_add(slot); }
CAMLexport void caml_remove_global_root(value *slot) { gc_root_remove(slot); }
CAMLexport void caml_register_generational_global_root(value *slot)
{
  gc_root_add_generational(slot);
}
CAMLexport void caml_remove_generational_global_root(value *slot)
{
  gc_root_remove_generational(slot);
}
CAMLexport void caml_modify_generational_global_root(value *slot, value v)
{
  gc_root_modify_generational(slot, v);
}

/* ---- Accounting, requests ---- */

CAMLexport void caml_adjust_gc_speed(mlsize_t mem, mlsize_t max)
{
  gc_adjust_speed(domain_self(), mem, max ? max : 1);
}
CAMLexport void caml_adjust_minor_gc_speed(mlsize_t mem, mlsize_t max)
{
  gc_adjust_speed(domain_self(), mem, max ? max : 1);
}
CAMLexport void caml_alloc_dependent_memory(mlsize_t bytes)
{
  gc_off_heap((intnat)bytes);
  gc_dependent_memory(domain_self(), (intnat)bytes);
}
CAMLexport void caml_free_dependent_memory(mlsize_t bytes)
{
  gc_off_heap(-(intnat)bytes);
}

CAMLexport void caml_minor_collection(void) { gc_minor(domain_self()); }
CAMLexport void caml_request_minor_gc(void) { domain_request(domain_self(), DOMAIN_WANT_MINOR); }
CAMLexport void caml_request_major_slice(int global)
{
  domain_request(domain_self(), DOMAIN_WANT_SLICE);
}

/* ---- Memory outside the heap ---- */

static void *or_raise(void *p)
{
  if (unlikely(p == NULL)) caml_raise_out_of_memory();
  return p;
}

/* [const] after start. Are these blocks the runtime's, and end with it? Otherwise they are the C library's: there are
 * stubs that call free() for them. */
static bool pooled;

CAMLexport void caml_stat_create_pool(void) { pooled = true; }
/* The end of the runtime does it. */
CAMLexport void caml_stat_destroy_pool(void) {}

/* Size 0 gets an address of its own, which NULL is not. */
CAMLexport void *caml_stat_alloc_noexc(asize_t size) { return pooled ? mem_alloc(size) : malloc(size ? size : 1); }
CAMLexport void *caml_stat_alloc(asize_t size) { return or_raise(caml_stat_alloc_noexc(size)); }
CAMLexport void caml_stat_free(void *p)
{
  if (pooled)
    mem_free(p);
  else
    free(p);
}
CAMLexport void *caml_stat_resize_noexc(void *p, asize_t size)
{
  return pooled ? mem_resize(p, size) : realloc(p, size ? size : 1);
}
CAMLexport void *caml_stat_resize(void *p, asize_t size)
{
  return or_raise(caml_stat_resize_noexc(p, size));
}
CAMLexport void *caml_stat_calloc_noexc(asize_t n, asize_t size)
{
  return pooled ? mem_calloc(n, size) : calloc(n ? n : 1, size ? size : 1);
}

/* Memory at an address p with (p + modulo) a multiple of the page size; *block
 * is what caml_stat_free wants. */
enum { ALIGNED_PAGE = 4096 };
CAMLexport void *caml_stat_alloc_aligned_noexc(asize_t size, int modulo, void **block)
{
  size_t room;
  if (!add_fits(size, ALIGNED_PAGE, &room)) return NULL;
  char *base = *block = caml_stat_alloc_noexc(room);
  if (base == NULL) return NULL;
  return (char *)align_up((uintptr_t)base + (uintptr_t)modulo, ALIGNED_PAGE) - modulo;
}
CAMLexport void *caml_stat_alloc_aligned(asize_t size, int modulo, void **block)
{
  return or_raise(caml_stat_alloc_aligned_noexc(size, modulo, block));
}

CAMLexport char *caml_stat_strdup_noexc(const char *s)
{
  size_t size = strlen(s) + 1;
  char *copy = caml_stat_alloc_noexc(size);
  return copy ? memcpy(copy, s, size) : NULL;
}
CAMLexport char *caml_stat_strdup(const char *s) { return or_raise(caml_stat_strdup_noexc(s)); }

CAMLexport char *caml_stat_strconcat(int n, ...)
{
  size_t size = 1;
  va_list strings;
  va_start(strings, n);
  for (int i = 0; i < n; i++) size += strlen(va_arg(strings, const char *));
  va_end(strings);

  char *joined = caml_stat_alloc(size);
  char *end = joined;
  va_start(strings, n);
  for (int i = 0; i < n; i++) end = stpcpy(end, va_arg(strings, const char *));
  va_end(strings);
  *end = '\0';
  return joined;
}
