/* SPDX-License-Identifier: MIT */
/* The table of code fragments: see codefrag.h for the contract.
 *
 * State: one published table, sorted by start address. Look-ups by address are
 * a binary search; look-ups by digest walk the table, since only the
 * unmarshalling of closures asks for them. */
#include "abi/codefrag.h"

#include "base/memory.h"
#include "sync/atomic.h"
#include "sync/lock.h"

#include <stdlib.h>
#include <string.h>

enum digest_state { DIGEST_MISSING, DIGEST_READY, DIGEST_REFUSED };

struct codefrag {
  const char *start, *end;                        /* [const] */
  codefrag_digester *digester;                    /* [const] */
  uint32_t digest_state;                          /* [atomic] enum digest_state; READY is released after the bytes */
  unsigned char digest[CODEFRAG_DIGEST_SIZE];     /* [lock:table until READY] */
};

struct codefrag_table {
  size_t len;
  struct codefrag *at[];
};

static struct {
  struct lock lock;                 /* RANK_ABI: changes, and computing a digest */
  struct codefrag_table *table;     /* [atomic: release on publication] NULL while empty */
} codefrags = {.lock = LOCK_INIT(RANK_ABI)};

static struct codefrag_table *table_new(size_t len)
{
  struct codefrag_table *t = mem_alloc(sizeof *t + len * sizeof t->at[0]);
  if (t) t->len = len;
  return t;
}

/* How many fragments of t start at or before pc. */
static size_t table_rank(const struct codefrag_table *t, const char *pc)
{
  size_t low = 0, high = t ? t->len : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (t->at[middle]->start <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

struct codefrag *codefrag_register(const void *start, const void *end, const unsigned char *given,
                                   codefrag_digester *digester)
{
  struct codefrag *f = mem_calloc(1, sizeof *f);
  if (!f) return NULL;
  f->start = start;
  f->end = end;
  f->digester = digester;
  f->digest_state = given ? DIGEST_READY : digester ? DIGEST_MISSING : DIGEST_REFUSED;
  if (given) memcpy(f->digest, given, sizeof f->digest);

  lock_acquire(&codefrags.lock);
  struct codefrag_table *old = codefrags.table;
  size_t len = old ? old->len : 0, rank = table_rank(old, start);
  struct codefrag_table *t = table_new(len + 1);
  if (t) {
    if (rank > 0) memcpy(t->at, old->at, rank * sizeof t->at[0]);
    t->at[rank] = f;
    if (rank < len) memcpy(t->at + rank + 1, old->at + rank, (len - rank) * sizeof t->at[0]);
    store_release(&codefrags.table, t);
  }
  lock_release(&codefrags.lock);
  if (!t) {
    mem_free(f);
    return NULL;
  }
  return f;
}

void codefrag_remove(struct codefrag *f)
{
  lock_acquire(&codefrags.lock);
  struct codefrag_table *old = codefrags.table;
  size_t rank = table_rank(old, f->start);
  CHECK(rank > 0 && old->at[rank - 1] == f);
  struct codefrag_table *t = table_new(old->len - 1);
  CHECK(t != NULL);
  memcpy(t->at, old->at, (rank - 1) * sizeof t->at[0]);
  memcpy(t->at + rank - 1, old->at + rank, (old->len - rank) * sizeof t->at[0]);
  store_release(&codefrags.table, t);
  lock_release(&codefrags.lock);
}

struct codefrag *codefrag_find_pc(const void *pc)
{
  const struct codefrag_table *t = load_acquire(&codefrags.table);
  size_t rank = table_rank(t, pc);
  if (rank == 0) return NULL;
  struct codefrag *f = t->at[rank - 1];
  return (const char *)pc < f->end ? f : NULL;
}

const unsigned char *codefrag_digest(struct codefrag *f)
{
  uint32_t state = load_acquire(&f->digest_state);
  if (state == DIGEST_REFUSED) return NULL;
  if (state == DIGEST_MISSING) {
    lock_acquire(&codefrags.lock);
    if (f->digest_state == DIGEST_MISSING) {
      f->digester(f->start, f->end, f->digest);
      store_release(&f->digest_state, DIGEST_READY);
    }
    lock_release(&codefrags.lock);
  }
  return f->digest;
}

struct codefrag *codefrag_find_digest(const unsigned char digest[CODEFRAG_DIGEST_SIZE])
{
  const struct codefrag_table *t = load_acquire(&codefrags.table);
  for (size_t i = 0; t && i < t->len; i++) {
    const unsigned char *candidate = codefrag_digest(t->at[i]);
    if (candidate && memcmp(candidate, digest, CODEFRAG_DIGEST_SIZE) == 0) return t->at[i];
  }
  return NULL;
}

const char *codefrag_start(const struct codefrag *f) { return f->start; }
const char *codefrag_end(const struct codefrag *f) { return f->end; }
