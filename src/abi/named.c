/* SPDX-License-Identifier: MIT */
/* Values that OCaml code registers under a name for C code to find
 * (Callback.register, caml_named_value).
 *
 * State: a hash table with chains; an entry is never removed, so the address of its value is
 * good for ever, which the public interface promises. The value is a
 * generational global root. Chains are written under [lock:named.lock] and read
 * without it. The roots have locks of a lower rank: an entry is made a root
 * before it is linked, never under the lock. */
#include "abi/runtime.h"
#include "base/memory.h"
#include "sync/atomic.h"

struct named_value {
  value v;
  struct named_value *next;
  char name[];
};

enum { NAMED_BUCKETS = 64 };

static struct {
  struct lock lock;
  struct named_value *buckets[NAMED_BUCKETS];   /* [lock:lock to write] */
} named = {.lock = LOCK_INIT(RANK_ABI)};

static struct named_value **named_bucket(const char *name)
{
  unsigned hash = 5381;
  for (; *name; name++) hash = hash * 33 + (unsigned char)*name;
  return &named.buckets[hash % NAMED_BUCKETS];
}

static struct named_value *named_find(struct named_value **bucket, const char *name)
{
  struct named_value *e = load_acquire(bucket);
  while (e && strcmp(e->name, name) != 0) e = e->next;
  return e;
}

/* Links e, unless its name has come in meanwhile: then answers that entry. */
static struct named_value *named_link(struct named_value **bucket, struct named_value *e)
{
  lock_acquire(&named.lock);
  struct named_value *there = named_find(bucket, e->name);
  if (there == NULL) {
    e->next = *bucket;
    store_release(bucket, e);
  }
  lock_release(&named.lock);
  return there;
}

CAMLprim value caml_register_named_value(value name, value v)
{
  const char *text = String_val(name);
  struct named_value **bucket = named_bucket(text);
  struct named_value *there = named_find(bucket, text);
  if (there == NULL) {
    size_t size = strlen(text) + 1;
    struct named_value *e = mem_alloc(sizeof *e + size);
    if (e == NULL) caml_raise_out_of_memory();
    memcpy(e->name, text, size);
    e->v = v;
    gc_root_add_generational(&e->v);
    there = named_link(bucket, e);
    if (there == NULL) return Val_unit;
    gc_root_remove_generational(&e->v);
    mem_free(e);
  }
  gc_root_modify_generational(&there->v, v);
  return Val_unit;
}

CAMLexport const value *caml_named_value(const char *name)
{
  struct named_value *e = named_find(named_bucket(name), name);
  return e ? &e->v : NULL;
}

CAMLexport void caml_iterate_named_values(void (*visit)(const value *, char *))
{
  for (int i = 0; i < NAMED_BUCKETS; i++)
    for (struct named_value *e = load_acquire(&named.buckets[i]); e; e = e->next)
      visit(&e->v, e->name);
}
