/* SPDX-License-Identifier: MIT */
/* The heap verifier: V=1 at the end of each cycle and after each compaction,
 * V=2 at each minor collection too, gc_verify from C. In any build.
 *
 * It walks every block of the heap as memory shows it, with the world stopped,
 * and rebuilds every figure from nothing. It shares no code with marking or with the counters, and it does
 * not go through assert. Checked:
 *
 *   STAT-1, COUNT-1  counters, per kind and class and in total, equal the walk
 *   POOL-1, POOL-2   slots, free runs, side bytes and headers fit together
 *   reference        a field of a live object refers to a live object, a static block or an
 *                    integer; never to a free slot, a free block or the middle of an object
 *   REM-1, REM-2     a field that refers to a nursery is remembered; none does after a minor collection
 *   MARK-2           while cleaning and sweeping, no live object refers to a dead one
 *   roots            what roots refer to is alive, and what finalisers watch
 *
 * A violation prints what is wrong, where, and the figures on both sides, and aborts. */
#include "gc/state.h"

#include <stdarg.h>
#include <stdio.h>

struct verify {
  const char *when;
  struct heap_counts counts;    /* from the walk */
  value **remembered;           /* sorted, for REM-2 */
  size_t remembered_len;
  header_t dead;                /* colour of the dead; 0: none can be told */
  uint8_t *starts;              /* a bit for each word of the arena: an object begins here */
  uint8_t *alive;               /* the same without the dead; [starts] itself where none can be told */
};

static const char *const kind_names[KINDS] = {"free", "scan", "noscan", "final", "cont", "ephe"};
static const char *const phase_names[] = {"idle", "mark", "clean", "sweep"};

static COLD _Noreturn void verify_fail(const struct verify *v, const char *fmt, ...)
{
  va_list args;
  fprintf(stderr, "Fatal error: heap verification failed %s (cycle %lu, phase %s): ", v->when,
          (unsigned long)bac_gc.major_collections, phase_names[bac_gc.phase]);
  va_start(args, fmt);
  vfprintf(stderr, fmt, args);
  va_end(args);
  fputc('\n', stderr);
  abort();
}

static const char *describe(value v, char *text, size_t size)
{
  if (Is_long(v)) {
    snprintf(text, size, "integer %ld", (long)Long_val(v));
  } else if (heap_contains(v)) {
    uint8_t kind = heap_kind(v);
    snprintf(text, size, "%p [block %u, %s%s, header %#lx: tag %u, %lu words, colour %lu, side %#x]", (void *)v,
             block_index(v), kind & KIND_LARGE_REST ? "large rest" : kind_names[kind & 0xf],
             kind & KIND_LARGE ? " large" : "", Hd_val(v), Tag_val(v), Wosize_val(v),
             Colour_hd(Hd_val(v)) >> HEADER_COLOUR_SHIFT, *side_byte(Hp_val(v)));
  } else {
    snprintf(text, size, "%p [%s]", (void *)v, nursery_contains(v) ? "nursery" : "outside the heap");
  }
  return text;
}

/* ---- References ---- */

/* Only the first slot of a free run looks free: the others may show the headers of what was there. So a walk
 * notes beforehand where objects begin. */
static inline size_t start_bit(value object) { return ((uintnat)object - bac_heap.base) / sizeof(value); }

static bool verify_note_start(value object, uint8_t kind, void *arg)
{
  struct verify *v = arg;
  size_t bit = start_bit(object);
  v->starts[bit / 8] |= 1 << bit % 8;
  if (v->dead != 0 && object_colour(object, kind) != v->dead) v->alive[bit / 8] |= 1 << bit % 8;
  return true;
}

/* Is [v] in one of the two maps? Its memory is not touched: most references are checked by this alone. */
static inline bool verify_is_in(const uint8_t *map, value v)
{
  return v % sizeof(value) == 0 && heap_contains(v) && map[start_bit(v) / 8] >> start_bit(v) % 8 & 1;
}

/* Is [v], a block in the heap, the address of an object or of a closure inside one? Answers the object, or 0. */
static value verify_object_of(const struct verify *verify, value v)
{
  if (verify_is_in(verify->starts, v)) return v;
  if ((heap_kind(v) & 0xf) != KIND_SCAN || Tag_val(v) != Infix_tag) return 0;
  v -= Infix_offset_hd(Hd_val(v));
  return verify_is_in(verify->starts, v) && Tag_val(v) == Closure_tag ? v : 0;
}

static int compare_slots(const void *a, const void *b)
{
  const value *x = *(value *const *)a, *y = *(value *const *)b;
  return (x > y) - (x < y);
}

static bool verify_is_remembered(const struct verify *v, value *field)
{
  return bsearch(&field, v->remembered, v->remembered_len, sizeof field, compare_slots) != NULL;
}

/* Is this nursery address one that its domain has allocated since the last minor collection? */
static bool verify_is_in_use(value v)
{
  struct domain *d = bac_domains.live[((uintnat)v - bac_nurseries.base) >> bac_nurseries.slot_shift];
  return d != NULL && (value *)v > d->window->young_ptr && (value *)v <= d->window->young_end;
}

/* What is wrong with a reference found at [slot], or NULL. */
static const char *verify_reference(const struct verify *v, value *slot, bool in_heap)
{
  value target = *slot;
  if (!Is_block(target)) return NULL;
  if (nursery_contains(target)) {
    if (!verify_is_in_use(target)) return "is in a part of a nursery that is not in use (REM-1)";
    if (in_heap && !verify_is_remembered(v, slot)) return "is a young block, but the field is not remembered (REM-2)";
    return NULL;
  }
  if (!heap_contains(target)) return NULL;
  value object = verify_object_of(v, target);
  if (object == 0) return "is no object (POOL-1)";
  if (v->dead != 0 && object_colour(object, heap_kind(object)) == v->dead) return "is dead (MARK-2)";
  return NULL;
}

static inline void verify_field(const struct verify *v, value base, value *slot, bool in_heap)
{
  if (Is_long(*slot) || verify_is_in(v->alive, *slot)) return;
  const char *wrong = verify_reference(v, slot, in_heap);
  if (wrong == NULL) return;
  char a[256], b[256];
  verify_fail(v, "%s, field %ld: %s %s", describe(base, a, sizeof a), (long)(slot - (value *)base),
              describe(*slot, b, sizeof b), wrong);
}

struct verify_visitor { struct root_visitor v; const struct verify *verify; value base; const char *what; };

static void verify_visit(struct root_visitor *v, value *slots, size_t count)
{
  struct verify_visitor *vv = container_of(v, struct verify_visitor, v);
  for (size_t i = 0; i < count; i++) {
    const char *wrong = verify_reference(vv->verify, &slots[i], false);
    char b[256];
    if (wrong != NULL) verify_fail(vv->verify, "%s: %s %s", vv->what, describe(slots[i], b, sizeof b), wrong);
  }
}

static bool verify_is_dead(const struct verify *v, value target)
{
  if (!Is_block(target) || !heap_contains(target)) return false;
  value object = verify_object_of(v, target);
  return object != 0 && object_colour(object, heap_kind(object)) == v->dead;
}

/* Before it is cleaned it may hold dead keys, and with one of these dead data. */
static void verify_ephemeron(const struct verify *v, value ephe, mlsize_t size)
{
  bool dead_key = false;
  for (mlsize_t i = EPHE_FIRST_KEY; i < size; i++) {
    if (bac_gc.phase == PHASE_CLEAN && verify_is_dead(v, Field(ephe, i)))
      dead_key = true;
    else
      verify_field(v, ephe, &Field(ephe, i), true);
  }
  if (!dead_key || !verify_is_dead(v, Field(ephe, EPHE_DATA))) verify_field(v, ephe, &Field(ephe, EPHE_DATA), true);
}

static void verify_fields(const struct verify *v, value object, uint8_t kind)
{
  header_t hd = Hd_val(object);
  tag_t tag = Tag_hd(hd);
  if (kind == KIND_SCAN && tag < No_scan_tag) {
    mlsize_t i = tag == Closure_tag ? Start_env_closinfo(Closinfo_val(object)) : 0;
    for (; i < Wosize_hd(hd); i++) verify_field(v, object, &Field(object, i), true);
  } else if (kind == KIND_EPHE) {
    verify_ephemeron(v, object, Wosize_hd(hd));
  } else if (kind == KIND_CONT) {
    struct verify_visitor vv = {{verify_visit, false}, v, object, "stack of a continuation"};
    bac_gc.client.scan_continuation(object, &vv.v);
  }
}

/* ---- Objects ---- */

static bool verify_is_current(uint32_t i, unsigned kind)
{
  for_each_gc_domain(g)
    if (g->alloc.pool[kind][bac_heap.block[i].cls] == i) return true;
  return false;
}

static void verify_seen(const struct verify *v, value object, uint8_t block_kind, header_t colour)
{
  uint32_t i = block_index(object);
  if (colour != heap_colour() || bac_heap.seen[i] == side_colour(colour)) return;
  if (block_kind & KIND_LARGE || verify_is_current(i, block_kind)) return;
  char text[256];
  verify_fail(v, "%s: in block %u, where no object of its colour was seen (POOL-4)", describe(object, text, sizeof text), i);
}

static bool verify_object(value object, uint8_t block_kind, void *arg)
{
  struct verify *v = arg;
  uint8_t kind = block_kind & 0xf;
  struct block *b = &bac_heap.block[block_index(object)];
  header_t hd = Hd_val(object), colour = object_colour(object, kind);
  size_t whsize = Whsize_hd(hd);
  char text[256];
  bool fits = block_kind & KIND_LARGE ? whsize > SLOT_WORDS_MAX && div_up(whsize, BLOCK_WORDS) == b->blocks
                                      : Wosize_hd(hd) > 0 && class_of_whsize(min_size(whsize, SLOT_WORDS_MAX)) == b->cls &&
                                            whsize <= b->slot_words;
  if (!fits) verify_fail(v, "%s: its size does not fit its slot of %u words (POOL-1)", describe(object, text, sizeof text), b->slot_words);
  if (colour != COLOUR_A && colour != COLOUR_B)
    verify_fail(v, "%s: it has no colour of a live object", describe(object, text, sizeof text));
  if (bac_gc.phase == PHASE_IDLE && colour != heap_colour())
    verify_fail(v, "%s: unmarked, though all is swept", describe(object, text, sizeof text));
  if (kind != KIND_SCAN && !(block_kind & KIND_LARGE) && *side_byte(Hp_val(object)) >> 2 != min_size(b->slot_words - whsize, SIDE_SLACK_MAX))
    verify_fail(v, "%s: its side byte tells another size (POOL-2)", describe(object, text, sizeof text));
  verify_seen(v, object, block_kind, colour);
  struct class_counts *c = block_kind & KIND_LARGE ? &v->counts.large[kind] : &v->counts.cls[kind][b->cls];
  c->objects++;
  c->words += whsize;
  if (colour != v->dead) verify_fields(v, object, kind);
  return true;
}

/* The free list of a pool: its runs are free, in the pool, and do not overlap. */
static void verify_free_runs(const struct verify *v, uint32_t i)
{
  struct block *b = &bac_heap.block[i];
  header_t *start = block_start(i), *end = start + (size_t)b->slots * b->slot_words;
  size_t slots = 0;
  for (header_t *run = b->free_run; run != NULL; run = *free_run_next(run)) {
    slots += free_run_slots(*run);
    if (run < start || run >= end || (run - start) % b->slot_words != 0 || !is_free_run(*run) || slots > b->slots)
      verify_fail(v, "block %u (%s, slots of %u words): bad free run at %p, header %#lx (POOL-1)", i,
                  kind_names[bac_heap.kind[i] & 0xf], b->slot_words, (void *)run, run < start || run >= end ? 0 : *run);
  }
}

static void verify_blocks(struct verify *v)
{
  struct heap *h = &bac_heap;
  int64_t used = 0, dirty = 0;
  for (uint32_t i = 0; i < h->committed; i++) {
    uint8_t kind = h->kind[i];
    if (kind == KIND_FREE) {
      dirty += block_bit(h->dirty, i);
      if (block_bit(h->dirty, i) != block_bit(h->memory, i)) verify_fail(v, "block %u: free, its bits differ (STAT-1)", i);
      continue;
    }
    used++;
    if (block_bit(h->dirty, i) || !block_bit(h->memory, i)) verify_fail(v, "block %u: in use, its bits say otherwise (STAT-1)", i);
    if (kind == KIND_LARGE_REST) continue;
    if (kind & KIND_LARGE) {
      v->counts.large[kind & 0xf].pools += h->block[i].blocks;
    } else {
      v->counts.cls[kind][h->block[i].cls].pools++;
    }
    heap_walk_block(i, verify_object, v);
  }
  if (used != h->used_blocks || dirty != h->dirty_blocks)
    verify_fail(v, "blocks in use: %ld counted, %ld found; free with memory: %ld counted, %ld found (STAT-1)",
                (long)h->used_blocks, (long)used, (long)h->dirty_blocks, (long)dirty);
}

/* ---- Figures ---- */

static void verify_class(const struct verify *v, const char *what, unsigned words, const struct class_counts *counted,
                         const struct class_counts *found)
{
  if (memcmp(counted, found, sizeof *counted) == 0) return;
  verify_fail(v,
              "%s of %u words: blocks %ld counted, %ld found; live objects %ld counted, %ld found; live words %ld "
              "counted, %ld found (COUNT-1)",
              what, words, (long)counted->pools, (long)found->pools, (long)counted->objects, (long)found->objects,
              (long)counted->words, (long)found->words);
}

static void verify_counts(const struct verify *v)
{
  struct heap_counts counted;
  stats_sum_counts(&counted);
  for (unsigned k = 1; k < KINDS; k++) {
    for (unsigned c = 0; c < CLASSES; c++)
      verify_class(v, kind_names[k], class_slot_words[c], &counted.cls[k][c], &v->counts.cls[k][c]);
    verify_class(v, kind_names[k], SLOT_WORDS_MAX + 1, &counted.large[k], &v->counts.large[k]);
  }
  struct heap_figures s, now;
  stats_from_counts(&counted, &s);
  if (s.heap_words != s.live_words + s.free_words + s.fragments)
    verify_fail(v, "heap words %lu, but live %lu + free %lu + fragments %lu (STAT-1)", s.heap_words, s.live_words,
                s.free_words, s.fragments);
  heap_figures(&now, false);
  if (now.heap_words != s.heap_words) verify_fail(v, "heap words %lu, blocks say %lu (STAT-1)", now.heap_words, s.heap_words);
  if (now.live_words != s.live_words || now.live_blocks != s.live_blocks || now.fragments != s.fragments)
    verify_fail(v, "the tally says live words %lu, blocks %lu, fragments %lu; counts say %lu, %lu, %lu (STAT-1)",
                now.live_words, now.live_blocks, now.fragments, s.live_words, s.live_blocks, s.fragments);
  if (s.heap_words > now.top_words)
    verify_fail(v, "heap words %lu above their maximum %lu (STAT-1)", s.heap_words, now.top_words);
}

static void verify_weak_halves(struct verify_visitor *vv, const struct finalisers *f)
{
  for (size_t i = 0; i < f->entries.len; i++)
    if (i < f->kept || i >= f->at) verify_visit(&vv->v, &f->entries.at[i].arg, 1);
}

static void verify_roots(const struct verify *v)
{
  struct verify_visitor vv = {{verify_visit, false}, v, 0, "root of the process"};
  roots_scan_process(&vv.v);
  for_each_gc_domain(g) {
    vv.what = "root of a domain";
    roots_scan_domain(g, &vv.v);
    vv.what = "closure of a finaliser, or one that is ready (FIN-1)";
    finalise_visit(g, &vv.v);
    vv.what = "value of finalise";
    verify_weak_halves(&vv, &g->first);
    vv.what = "value of finalise_last";
    if (bac_gc.phase != PHASE_CLEAN) verify_weak_halves(&vv, &g->last);
  }
}

/* ---- The whole ---- */

static void verify_collect_remembered(struct verify *v)
{
  size_t n = 0;
  for_each_gc_domain(g) n += g->rem.fields.len + g->rem.ephes.len;
  v->remembered = malloc((n + 1) * sizeof *v->remembered);
  if (v->remembered == NULL) bac_fatal("out of memory in the heap verifier");
  for_each_gc_domain(g) {
    for (size_t i = 0; i < g->rem.fields.len; i++) v->remembered[v->remembered_len++] = g->rem.fields.at[i];
    for (size_t i = 0; i < g->rem.ephes.len; i++)
      v->remembered[v->remembered_len++] = &Field(g->rem.ephes.at[i].ephe, g->rem.ephes.at[i].index);
  }
  qsort(v->remembered, v->remembered_len, sizeof *v->remembered, compare_slots);
}

static uint8_t *verify_new_map(void)
{
  uint8_t *map = calloc(bac_heap.committed + 1, BLOCK_WORDS / 8);
  if (map == NULL) bac_fatal("out of memory in the heap verifier");
  return map;
}

static void verify_collect_starts(struct verify *v)
{
  v->starts = verify_new_map();
  v->alive = v->dead != 0 ? verify_new_map() : v->starts;
  for (uint32_t i = 0; i < bac_heap.committed; i++) {
    uint8_t kind = bac_heap.kind[i];
    if (kind < KINDS && kind != KIND_FREE) verify_free_runs(v, i);
    heap_walk_block(i, verify_note_start, v);
  }
}

static void verify_end(struct verify *v)
{
  free(v->remembered);
  if (v->alive != v->starts) free(v->alive);
  free(v->starts);
}

static void verify_walk(struct verify *v)
{
  for_each_gc_domain(g) {
    allocator_count(&g->alloc);
    allocator_seal(&g->alloc);
  }
  v->dead = bac_gc.phase >= PHASE_CLEAN ? heap_other_colour() : 0;
  verify_collect_remembered(v);
  verify_collect_starts(v);
  verify_blocks(v);
}

void verify_heap_stw(const char *when)
{
  struct verify v = {.when = when};
  verify_walk(&v);
  verify_counts(&v);
  verify_roots(&v);
  verify_end(&v);
}

void verify_scan_stw(struct heap_figures *out, struct heap_counts *counts)
{
  struct verify v = {.when = "in a scan of the heap"};
  verify_walk(&v);
  *counts = v.counts;
  stats_from_counts(counts, out);
  verify_end(&v);
}

static void verify_leader(struct domain *d, void *arg)
{
  (void)d, (void)arg;
  verify_heap_stw("on request");
}

void gc_verify(struct domain *d)
{
  while (!stw_run(d, verify_leader, NULL)) continue;
}
