/* SPDX-License-Identifier: MIT */
/* The numbering of blocks: see positions.h. */
#include "prims/positions.h"

#include <stdlib.h>
#include <string.h>

enum {
  PIECES_START = 256,
  PIECES_KEPT = 16 * 1024,     /* entries of a table that outlives its use: 256 kB */
  CHUNK_SLABS = 1023,          /* with its link, 64 kB */
  CHUNKS_KEPT = 12,
};

struct slab_chunk {
  struct slab_chunk *next;
  struct slab slab[CHUNK_SLABS];
};

static bool pieces_make(struct positions *t, size_t cap)
{
  struct piece *piece = calloc(cap, sizeof *piece);
  if (piece == NULL) return false;
  t->piece = piece;
  t->cap = cap;
  t->shift = 64 - (unsigned)__builtin_ctzl(cap);
  return true;
}

bool positions_begin(struct positions *t)
{
  t->stamp += (uint64_t)1 << PIECE_BITS;
  if (t->stamp == 0) {  /* all stamps were used once: old entries would look new */
    free(t->piece);
    t->piece = NULL;
    t->stamp = (uint64_t)1 << PIECE_BITS;
  }
  if (t->piece == NULL && !pieces_make(t, PIECES_START)) return false;
  t->count = 0;
  t->blocks = 0;
  t->chunk = t->chunks;
  t->chunk_used = 0;
  t->last_key = 0;             /* no key: each has a stamp */
  return true;
}

static void chunks_free(struct slab_chunk *c)
{
  for (struct slab_chunk *next; c != NULL; c = next) {
    next = c->next;
    free(c);
  }
}

/* All but some, which the next use finds as they are. (With one kept, the system's work for the others was a third of the time of
 * writing a message of 40,000 blocks again and again.) */
static void chunks_trim(struct positions *t)
{
  struct slab_chunk **link = &t->chunks;
  for (int kept = 0; *link != NULL && kept < CHUNKS_KEPT; kept++) link = &(*link)->next;
  chunks_free(*link);
  *link = NULL;
}

void positions_end(struct positions *t)
{
  chunks_trim(t);
  t->last_key = 0;
  if (t->cap <= PIECES_KEPT) return;
  free(t->piece);
  t->piece = NULL;
  t->cap = 0;
}

void positions_free(struct positions *t)
{
  chunks_free(t->chunks);
  free(t->piece);
}

static inline bool piece_is_free(const struct positions *t, const struct piece *p)
{
  return (p->key ^ t->stamp) >> PIECE_BITS != 0;
}

/* The entry with this key, or the free one where it belongs. */
static inline struct piece *pieces_place(const struct positions *t, uint64_t key)
{
  uint64_t number = key & (((uint64_t)1 << PIECE_BITS) - 1);
  size_t i = number * 0x9e3779b97f4a7c15u >> t->shift;
  while (t->piece[i].key != key && !piece_is_free(t, &t->piece[i])) i = (i + 1) & (t->cap - 1);
  return &t->piece[i];
}

static bool pieces_grow(struct positions *t)
{
  struct piece *old = t->piece;
  size_t old_cap = t->cap;
  if (!pieces_make(t, 4 * old_cap)) return false;
  for (size_t i = 0; i < old_cap; i++)
    if (!piece_is_free(t, &old[i])) *pieces_place(t, old[i].key) = old[i];
  free(old);
  return true;
}

/* The next chunk: of those kept, or a new one at the end of the list. */
static struct slab_chunk *chunk_next(struct positions *t)
{
  struct slab_chunk **link = t->chunk == NULL ? &t->chunks : &t->chunk->next;
  if (*link != NULL) return *link;
  struct slab_chunk *c = malloc(sizeof *c);
  if (c == NULL) return NULL;
  c->next = NULL;
  return *link = c;
}

static struct slab *slab_make(struct positions *t)
{
  if (t->chunk == NULL || t->chunk_used == CHUNK_SLABS) {
    struct slab_chunk *c = chunk_next(t);
    if (c == NULL) return NULL;
    t->chunk = c;
    t->chunk_used = 0;
  }
  struct slab *slab = &t->chunk->slab[t->chunk_used++];
  memset(slab, 0, sizeof *slab);
  return slab;
}

struct slab *positions_slab(struct positions *t, uint64_t key)
{
  struct piece *p = pieces_place(t, key);
  if (!piece_is_free(t, p)) return p->slab;
  if (t->count >= t->cap / 2) {
    if (!pieces_grow(t)) return NULL;
    p = pieces_place(t, key);
  }
  struct slab *slab = slab_make(t);
  if (slab == NULL) return NULL;
  t->count++;
  *p = (struct piece){key, slab};
  return slab;
}
