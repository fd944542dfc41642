/* SPDX-License-Identifier: MIT */
/* Custom blocks: their allocation and the table of operations by name, which
 * unmarshalling uses.
 *
 * A custom block's first word points to its operations; the data follow.
 * Operations that only have a finaliser (caml_alloc_final) are made here, one for each function.
 *
 * State: two lists that only grow. Entries are pushed under [lock:custom.lock]
 * with a release store of the head, and read without the lock. */
#include "abi/runtime.h"
#include "base/bits.h"
#include "base/memory.h"
#include "sync/atomic.h"

struct named_ops {
  const struct custom_operations *ops;
  struct named_ops *next;
};
struct final_ops {
  struct custom_operations ops;
  struct final_ops *next;
};

static struct {
  struct lock lock;
  struct named_ops *named;     /* [lock:lock to write] newest first */
  struct final_ops *finals;    /* [lock:lock to write] */
} custom = {.lock = LOCK_INIT(RANK_ABI)};

/* ---- Tables ---- */

CAMLexport void caml_register_custom_operations(const struct custom_operations *ops)
{
  struct named_ops *entry = mem_alloc(sizeof *entry);
  if (entry == NULL) caml_raise_out_of_memory();
  entry->ops = ops;
  lock_acquire(&custom.lock);
  entry->next = custom.named;
  store_release(&custom.named, entry);
  lock_release(&custom.lock);
}

CAMLexport struct custom_operations *caml_find_custom_operations(const char *identifier)
{
  static const struct custom_operations *const builtin[] = {&caml_int32_ops, &caml_int64_ops,
                                                            &caml_nativeint_ops, &caml_ba_ops};
  for (struct named_ops *e = load_acquire(&custom.named); e; e = e->next)
    if (strcmp(e->ops->identifier, identifier) == 0) return (struct custom_operations *)e->ops;
  for (size_t i = 0; i < countof(builtin); i++)
    if (strcmp(builtin[i]->identifier, identifier) == 0)
      return (struct custom_operations *)builtin[i];
  return NULL;
}

static struct final_ops *final_ops_find(void (*finalise)(value))
{
  struct final_ops *e = load_acquire(&custom.finals);
  while (e && e->ops.finalize != finalise) e = e->next;
  return e;
}

CAMLexport struct custom_operations *caml_final_custom_operations(void (*finalise)(value))
{
  struct final_ops *e = final_ops_find(finalise);
  if (e) return &e->ops;
  e = mem_alloc(sizeof *e);
  if (e == NULL) caml_raise_out_of_memory();
  e->ops = (struct custom_operations){.identifier = "_final", .finalize = finalise};
  lock_acquire(&custom.lock);
  e->next = custom.finals;
  store_release(&custom.finals, e);
  lock_release(&custom.lock);
  return &e->ops;
}

/* ---- Allocation ---- */

/* max = 0: mem is bytes outside the heap. */
static value custom_block(const struct custom_operations *ops, uintnat bytes, mlsize_t mem, mlsize_t max)
{
  mlsize_t wosize = 1 + bytes / sizeof(value) + (bytes % sizeof(value) != 0);
  value v = wosize <= Max_wosize
                ? gc_alloc_custom(domain_self(), wosize, ops->finalize != NULL, mem, max)
                : 0;
  if (v == 0) caml_raise_out_of_memory();
  Custom_ops_val(v) = ops;
  return v;
}

CAMLexport value caml_alloc_custom(const struct custom_operations *ops, uintnat bytes, mlsize_t mem,
                                   mlsize_t max)
{
  return custom_block(ops, bytes, mem, max ? max : 1);
}

CAMLexport value caml_alloc_custom_mem(const struct custom_operations *ops, uintnat bytes,
                                       mlsize_t mem)
{
  return custom_block(ops, bytes, mem, 0);
}

CAMLexport value caml_alloc_final(mlsize_t words, void (*finalise)(value), mlsize_t mem,
                                  mlsize_t max)
{
  size_t bytes;
  if (!mul_fits(words, sizeof(value), &bytes)) caml_raise_out_of_memory();
  return caml_alloc_custom(caml_final_custom_operations(finalise), bytes, mem, max);
}

/* ---- Proportions ---- */

/* A copy of the collector's parameter of that name, for stubs. */
CAMLexport uintnat caml_custom_major_ratio;   /* [atomic: relaxed] */

void custom_ratio_follow(void)
{
  struct gc_params params;
  gc_params_get(domain_self(), &params);
  store_relaxed(&caml_custom_major_ratio, params.custom_major_ratio);
}

/* How many bytes outside the heap should drive one full major cycle: the
 * ratio's share of the major heap without its free third. */
CAMLexport mlsize_t caml_custom_get_max_major(void)
{
  struct gc_stats stats;
  gc_quick_stat(domain_self(), &stats);
  return Bsize_wsize(stats.heap_words) / 150 * load_relaxed(&caml_custom_major_ratio);
}
