/* SPDX-License-Identifier: MIT */
/* The major heap's storage: what lies where, and the bookkeeping that makes it
 * countable. No policy: when to mark, sweep, compact or grow is decided in
 * src/gc; here is only how.
 *
 * One range of address space, the arena, is reserved at start. It is cut into
 * blocks of 64 KiB. A block is free, or a pool of equal slots for small
 * objects of one size class and one kind, or part of a run of blocks that holds one
 * large object. Objects of different kinds never share a block, so that one
 * byte for each block tells how to treat what is inside.
 *
 * Tables run beside the arena, indexed by address:
 *   kind[]   a byte for each block (enum block_kind)
 *   block[]  a struct block for each block
 *   side[]   a byte for each 16 bytes: the mark of objects whose own memory
 *            marking and sweeping never touch (all kinds but SCAN)
 *   seen[]   a byte for each block: the colour of the newest objects in it
 *   memory[], dirty[]   a bit for each block: it holds memory, it does and is free
 *
 * COLOURS. A live object has colour 1 or 2: in its header (SCAN) or in its side byte
 * (other kinds). New objects get heap.colour. When marking starts the two
 * change roles, so every object is unmarked at once and nothing is cleared; when it
 * ends, what still has the old colour is dead. Colour 0 belongs to the nursery, 3 to free
 * runs and, outside the heap, to static data.
 *
 * FREE SLOTS of a pool form runs. The first two words of a run are a header of colour 3
 * whose size field counts the run's slots, and the address of the next run.
 *
 * INVARIANTS, checked by the verifier (src/gc/verify.c):
 *   POOL-1  a pool is a sequence of live objects, dead objects and free runs that
 *           covers all its slots; only a domain's current run may have an undefined tail.
 *   POOL-2  a side byte is 0 exactly for slots that hold no object.
 *   POOL-3  a pool is in exactly one place: some domain's current pool, or one list of its
 *           class (unswept, partial, full).
 *   POOL-4  a pool on a list whose seen byte is not the heap's colour holds no object of that colour.
 *   COUNT-1 for each kind and class, the heap's counts and those that the domains' allocators have not told yet
 *           together equal a scan of the pools, at any stop of the world.
 *   TALLY-1 the tally is what the heap's counts say by arithmetic; free words, heap words without the tally's live
 *           words and fragments, are never negative (counts.c).
 *
 * Design page: docs/design/heap.md. Tests: tests/unit/heap_test.c, tests/model. */
#ifndef BAC_HEAP_HEAP_H
#define BAC_HEAP_HEAP_H

#include "base/bits.h"
#include "heap/value.h"
#include "sync/atomic.h"
#include "sync/lock.h"

enum {
  BLOCK_SHIFT = 16,
  BLOCK_BYTES = 1 << BLOCK_SHIFT,
  BLOCK_WORDS = BLOCK_BYTES / 8,
  SIDE_SHIFT = 4,
  ARENA_STEP_BLOCKS = 128,  /* growth: 8 MiB */
};

/* What a block holds. The low bits are the kind of its objects. */
enum block_kind {
  KIND_FREE = 0,
  KIND_SCAN,        /* values */
  KIND_NOSCAN,      /* strings, floats, custom blocks without a finaliser */
  KIND_FINAL,       /* custom blocks with a finaliser */
  KIND_CONT,        /* continuations: a suspended stack hangs from each */
  KIND_EPHE,        /* ephemerons and weak arrays */
  KINDS,
  KIND_LARGE = 0x10,       /* flag: first block of a large object of that kind */
  KIND_LARGE_REST = 0x20,  /* its other blocks */
};

enum { CLASSES = 63, SLOT_WORDS_MAX = 4096, EXACT_WORDS_MAX = 16 };

/* Sizes of slots in words, header included, in rising order. */
extern const uint16_t class_slot_words[CLASSES];
extern uint8_t class_of_whsize_[SLOT_WORDS_MAX + 1];   /* [const] after heap_init */
static inline unsigned class_of_whsize(size_t whsize) { return class_of_whsize_[whsize]; }
/* The same for objects of 2 to EXACT_WORDS_MAX words, whose slots are no larger than they. */
static inline unsigned class_of_exact(size_t whsize) { return (unsigned)whsize - 2; }

enum { NO_BLOCK = 0xffffffff };

/* A block's record. For a pool all of it is used; for a large object [blocks] and [next]. */
struct block {
  uint32_t next;         /* [lock:class] next in its list, NO_BLOCK at the end */
  uint32_t blocks;       /* large: length of the run */
  header_t *free_run;    /* [own or lock:class] first free run, NULL: none */
  uint16_t slots;        /* [const while a pool] */
  uint16_t slot_words;   /* [const while a pool] */
  uint16_t live;         /* slots with objects when it was last swept or retired */
  uint8_t cls;           /* size class */
  bool awaited;          /* gc/ephe_mark.c: in this cycle an ephemeron has waited for an object in it */
} __attribute__((aligned(32)));

/* Objects that are not known to be dead, of one kind and class. A domain adds what it allocates and subtracts what
 * it sweeps and hands that over from time to time (counts.c), so its own figures may be negative. */
struct class_counts {
  int64_t pools;         /* blocks of 64 KiB */
  int64_t objects;
  int64_t words;         /* with headers, without slack */
};
struct heap_counts {
  struct class_counts cls[KINDS][CLASSES];
  struct class_counts large[KINDS];
};

/* What follows from the counts of all classes; kept up to date with them. */
struct heap_tally {
  int64_t live_words, live_blocks;
  int64_t fragments;     /* words of slots beside their objects, and ends of blocks */
  int64_t free_slots;
};

/* Pools of one kind and class that no domain owns. */
enum { PARTIAL_LISTS = 4 };
struct class_pools {
  struct lock lock;                     /* RANK_POOLS */
  uint32_t unswept;                     /* lists of blocks */
  uint32_t partial[PARTIAL_LISTS];      /* by occupancy: [0] the fullest quarter */
  uint32_t full;
};

/* Called for each dead object of kinds FINAL and CONT before its memory is reused; handed over at heap_init. */
typedef void (*dead_object_fn)(value v, unsigned kind);

struct heap {
  uintnat base;               /* [const] first address of the arena */
  size_t bytes;               /* [const] its size */
  size_t table_bytes;         /* [const] size of the tables below, from kind on */
  uint8_t *kind;              /* [const pointer] */
  struct block *block;        /* [const pointer] */
  uint8_t *side;              /* [const pointer] */
  uint8_t *seen;              /* [const pointer; atomic] */
  uint64_t *memory;           /* [const pointer; lock:arena] a bit for each block: it holds memory */
  uint64_t *dirty;            /* [const pointer; lock:arena] it holds memory and is free */

  struct lock lock;           /* RANK_ARENA: from here to tally, and kind[] of free blocks */
  bool huge_pages;            /* [const] H: ask the system for them */
  uint32_t committed;         /* blocks that may be used */
  uint32_t limit;             /* blocks that the arena has */
  size_t growth_percent;      /* [atomic] least growth of committed, of what it is; see heap_set_growth */
  size_t growth_blocks;       /* [atomic] the same, in blocks */
  uint32_t first_free;        /* no block below is free */
  int64_t used_blocks;        /* [atomic read] not free */
  int64_t dirty_blocks;       /* [atomic read] free, memory not returned */
  int64_t taken_blocks;       /* since the last heap_plan_return */
  int64_t surplus_blocks;     /* [atomic read] so many of the dirty ones are to give their memory back */
  int64_t top_blocks;         /* [atomic read] maximum of used + dirty ever */
  struct heap_counts counts;  /* what the allocators have told */
  struct heap_tally tally;
  int64_t max_blocks;         /* [atomic] the program may take blocks up to here (gc/limit.c) */
  bool collecting;            /* [stw] objects are being copied: no finaliser may run, and max_blocks does not hold */
  bool compacting;            /* [stw] they find room in the pools that there are, or none */

  struct class_pools pools[KINDS][CLASSES];
  struct lock large_lock;     /* RANK_LARGE */
  uint32_t large, large_unswept;
  int64_t unswept;            /* [atomic] blocks and large objects not swept yet */
  uint64_t swept_words;       /* [atomic] dead words freed since heap_begin_sweep */
  uint64_t sweep_done;        /* [atomic] words looked at since then, by heap_sweep_some or for an allocation */

  header_t colour;            /* [stw] colour of new objects, shifted */
  dead_object_fn dead;        /* [const] see above */
  void (*grew)(size_t bytes); /* [const] told what is committed after each growth, no lock held; NULL: nobody */
};
extern struct heap bac_heap;

_Static_assert(CLASSES <= 64, "the classes of a kind are the bits of a word");

#define COLOUR_A ((header_t)1 << HEADER_COLOUR_SHIFT)
#define COLOUR_B ((header_t)2 << HEADER_COLOUR_SHIFT)
#define COLOUR_FREE ((header_t)3 << HEADER_COLOUR_SHIFT)
static inline header_t heap_colour(void) { return bac_heap.colour; }
static inline header_t heap_other_colour(void) { return COLOUR_A + COLOUR_B - bac_heap.colour; }

/* ---- Addresses ---- */

static inline bool heap_contains(value v) { return (uintnat)v - bac_heap.base < bac_heap.bytes; }
static inline uint32_t block_index(value v) { return ((uintnat)v - bac_heap.base) >> BLOCK_SHIFT; }
static inline header_t *block_start(uint32_t i)
{
  return (header_t *)(bac_heap.base + ((uintnat)i << BLOCK_SHIFT));
}
static inline uint8_t kind_of_block(uint32_t i) { return load_relaxed(&bac_heap.kind[i]); }
/* The kind of the objects in v's block, with KIND_LARGE where it is large. */
static inline uint8_t heap_kind(value v) { return kind_of_block(block_index(v)); }
static inline uint8_t *side_byte(header_t *hp)
{
  return &bac_heap.side[((uintnat)hp - bac_heap.base) >> SIDE_SHIFT];
}

/* ---- Colours ----
 * A side byte is slack << 2 | colour: slack is how many words of the slot the
 * object does not use, SIDE_SLACK_MAX meaning "ask the header". So sweeping
 * counts words without touching dead memory. */
enum { SIDE_COLOUR = 3, SIDE_SLACK_MAX = 63 };

static inline uint8_t side_colour(header_t colour) { return (uint8_t)(colour >> HEADER_COLOUR_SHIFT); }

/* Only the header's colour byte is written: the tag byte of a lazy value may be
 * changing at the same moment. Its other bits are size bits, which are constant. */
static inline void header_set_colour(header_t *hp, header_t hd, header_t colour)
{
  uint8_t byte = (uint8_t)((hd >> HEADER_COLOUR_SHIFT & ~(header_t)3) | colour >> HEADER_COLOUR_SHIFT);
  store_relaxed((uint8_t *)hp + 1, byte);
}

static inline header_t object_colour(value v, uint8_t kind)
{
  if ((kind & 0xf) == KIND_SCAN) return Colour_hd(Hd_val(v));
  return (header_t)(load_relaxed(side_byte(Hp_val(v))) & SIDE_COLOUR) << HEADER_COLOUR_SHIFT;
}

/* Block i holds an object of the heap's colour: while it is marked, or when a pool ceases to be a domain's current one. A pool that was not
 * seen since the colours changed is all dead (POOL-4), and swept without a look at what is in it. Read first: several threads mark, and 64 blocks share a
 * cache line. */
static inline void heap_note_seen(uint8_t *seen, uint32_t i, uint8_t colour)
{
  if (load_relaxed(&seen[i]) != colour) store_relaxed(&seen[i], colour);
}

/* ---- Free runs ---- */
static inline header_t free_run_header(size_t slots) { return (slots << HEADER_WOSIZE_SHIFT) | COLOUR_FREE; }
static inline bool is_free_run(header_t hd) { return Colour_hd(hd) == COLOUR_FREE; }
static inline size_t free_run_slots(header_t hd) { return Wosize_hd(hd); }
static inline header_t **free_run_next(header_t *run) { return (header_t **)(run + 1); }

/* ---- A domain's allocator ---- */

/* The current run of one kind and class: objects are cut off [next .. end). */
struct bump {
  header_t *next;    /* [own, stw] */
  header_t *end;
  header_t *counted; /* objects below are in the counts already */
  int64_t slack;     /* unused words in objects not counted yet */
};
struct allocator {
  struct bump bump[KINDS][CLASSES];
  uint32_t pool[KINDS][CLASSES];      /* current pool, NO_BLOCK: none */
  uint64_t touched[KINDS];            /* [own, stw] a bit for each class that has a current pool or something to tell */
  struct heap_counts counts;          /* [own, stw] not told yet */
};

void allocator_init(struct allocator *a);
/* Counts what has been cut off the current runs, and tells all that was counted. [own or stw] */
void allocator_count(struct allocator *a);
/* Makes the tails of the current runs walkable (POOL-1); allocation goes on where it was. [own or stw] */
void allocator_seal(struct allocator *a);
/* Gives all current pools back to their lists. [own or stw] */
void allocator_retire(struct allocator *a);

/* Room for whsize words of a kind; colour and header are not set. NULL: no memory. [own] */
header_t *allocator_refill(struct allocator *a, unsigned kind, unsigned cls);
header_t *heap_alloc_large(struct allocator *a, size_t whsize, unsigned kind);

static inline header_t *heap_alloc_slot(struct allocator *a, unsigned kind, size_t whsize)
{
  unsigned cls = class_of_whsize(whsize);
  struct bump *b = &a->bump[kind][cls];
  header_t *hp = b->next;
  if (unlikely(hp == b->end)) {
    hp = allocator_refill(a, kind, cls);
    if (hp == NULL) return NULL;
  }
  size_t slot = class_slot_words[cls];
  b->next = hp + slot;
  b->slack += slot - whsize;
  return hp;
}

/* Writes the header, and the side byte of kinds that have one. */
static inline void heap_set_header(header_t *hp, unsigned kind, mlsize_t wosize, tag_t tag)
{
  header_t colour = heap_colour();
  if (kind != KIND_SCAN) {
    size_t whsize = wosize + 1;
    size_t slack = whsize <= SLOT_WORDS_MAX ? class_slot_words[class_of_whsize(whsize)] - whsize : 0;
    store_relaxed(side_byte(hp), (uint8_t)(min_size(slack, SIDE_SLACK_MAX) << 2 | side_colour(colour)));
  }
  *hp = Make_header(wosize, tag, colour);
}

/* A whole object of any size; the fields are not set. 0: no memory. [own] */
static inline value heap_alloc(struct allocator *a, unsigned kind, mlsize_t wosize, tag_t tag)
{
  size_t whsize = wosize + 1;
  header_t *hp = likely(whsize <= SLOT_WORDS_MAX) ? heap_alloc_slot(a, kind, whsize)
                                                  : heap_alloc_large(a, whsize, kind);
  if (unlikely(hp == NULL)) return 0;
  heap_set_header(hp, kind, wosize, tag);
  return Val_hp(hp);
}

/* The same for objects of 1 to EXACT_WORDS_MAX - 1 fields, whose slots are no larger than they. */
static INLINED value heap_alloc_exact(struct allocator *a, unsigned kind, mlsize_t wosize, tag_t tag)
{
  size_t whsize = wosize + 1;
  unsigned cls = class_of_exact(whsize);
  struct bump *b = &a->bump[kind][cls];
  header_t *hp = b->next;
  if (unlikely(hp == b->end)) {
    hp = allocator_refill(a, kind, cls);
    if (hp == NULL) return 0;
  }
  b->next = hp + whsize;
  if (kind != KIND_SCAN) store_relaxed(side_byte(hp), side_colour(heap_colour()));
  *hp = Make_header(wosize, tag, heap_colour());
  return Val_hp(hp);
}

/* ---- Sweeping ---- */

/* All pools and large objects become unswept. World stopped, allocators retired. */
void heap_begin_sweep(void);
/* Sweeps one block or large object of any class, found from *hint on (start with 0). Returns what that cost, in words looked
 * at; 0: nothing is left to take (another domain may still be sweeping its last one). */
size_t heap_sweep_some(struct allocator *a, unsigned *hint);
static inline bool heap_is_swept(void) { return load_acquire(&bac_heap.unswept) == 0; }

/* ---- The whole heap ---- */

/* NULL, or what could not be had. Sizes the arena for the address space that there is;
 * [nursery_bytes] of it stay for the nursery; where it is limited, no more than [heap_bytes] of it are taken (0: whatever fits). All of the
 * arena may be used until max_blocks is changed. */
const char *heap_init(size_t nursery_bytes, size_t heap_bytes, dead_object_fn dead);
/* The address space goes back: nothing is in the heap any more. */
void heap_fini(void);
void heap_sum_counts(struct heap_counts *into, const struct heap_counts *from);

/* One object after the other, with the world stopped and allocators sealed. Free runs are
 * passed over. Returns false when visit did. */
bool heap_walk_block(uint32_t i, bool (*visit)(value v, uint8_t kind, void *arg), void *arg);
bool heap_walk_pool(uint32_t i, unsigned kind, bool (*visit)(value v, uint8_t kind, void *arg), void *arg);

/* Blocks. heap_take_blocks: a run of [count] blocks, all memory of which may be used; NO_BLOCK: none. */
uint32_t heap_take_blocks(uint32_t count, uint8_t first_kind, uint8_t rest_kind);
void heap_give_blocks(uint32_t first, uint32_t count);
/* The lowest run of free blocks, if it ends at or below [end]. heap_has_run: there is one, or room for it. */
uint32_t heap_take_blocks_below(uint32_t end, uint32_t count, uint8_t first_kind, uint8_t rest_kind);
bool heap_has_run(uint32_t count);
/* From now on the heap grows by at least so much at a time, where there is room: [percent] of what is committed, and [blocks]. */
void heap_set_growth(size_t percent, size_t blocks);
/* Memory of free blocks goes back to the system. heap_plan_return says how much: all but what is likely to be wanted
 * soon, which is a little more than was taken since the last plan, and at most [most_kept] blocks (FIELD M4; giving back what the next cycle takes
 * costs a page fault for each 4 kB: a third of the time of a program that drops float arrays at once). heap_return_some gives back a piece
 * of that, 8 MiB; false: there was none left. */
void heap_plan_return(int64_t most_kept);
bool heap_return_some(void);

/* ---- Figures (counts.c) ---- */

/* Counts of a class (cls = CLASSES: of large objects) that [a] has not told yet go to the heap's. [own or stw] */
void counts_tell(struct allocator *a, unsigned kind, unsigned cls);
void counts_tell_all(struct allocator *a);    /* of the classes touched */

/* All of one instant: heap_words = live_words + free_words + fragments. What allocators have not told yet counts as free. */
struct heap_figures {
  uint64_t heap_words, live_words, live_blocks, free_words, fragments, top_words;
  uint64_t free_blocks, largest_free, areas;    /* 0 unless they were asked for */
};
/* [areas]: with the last three, which costs a look at two bits for each block. Any thread; takes no lock but the arena's. */
void heap_figures(struct heap_figures *out, bool areas);

#define for_each_touched_class(a, kind, cls)        \
  for (unsigned kind = 1; kind < KINDS; kind++)     \
    for (uint64_t left_ = (a)->touched[kind]; left_ != 0; left_ &= left_ - 1) \
      for (unsigned cls = __builtin_ctzll(left_), once_ = 1; once_; once_ = 0)

static inline bool block_bit(const uint64_t *map, uint32_t i) { return map[i / 64] >> i % 64 & 1; }

/* Lists of a class, for the compactor; world stopped. */
void pool_list_push(uint32_t *list, uint32_t i);
uint32_t pool_list_pop(uint32_t *list);
/* Puts a swept pool where its occupancy belongs, or frees it. */
void pool_file(struct allocator *a, uint32_t i);

#endif
