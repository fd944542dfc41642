/* SPDX-License-Identifier: MIT */
/* Marking: finding what can be reached.
 *
 * An object is unmarked (old colour), grey (new colour, its fields wait as a
 * mark_range) or black (new colour, fields scanned). Marking is incremental and
 * runs beside the program: the write barrier shades every value that is
 * overwritten, so all that was reachable when the cycle started gets marked
 * (snapshot at the beginning), and objects born since are marked from birth.
 *
 * Each domain has one packet of grey ranges of its own; whole packets go to a
 * shared pool, from which any domain takes. Several domains may mark the same
 * object at once: the colour byte is stored without an atomic exchange, and the object is
 * then scanned twice, which is harmless.
 *
 * A found value first passes through a small ring buffer while its header or side byte is fetched:
 * marking is bound by cache misses, and the ring keeps MARK_RING of them under way.
 *
 * Not here: when to mark (pacing.c), roots (roots.c), ephemerons (ephe_mark.c), finalisers (finalise.c).
 * Invariants: MARK-1, MARK-2 (state.h; verify.c). Design page: docs/design/marking.md. */
#include "gc/state.h"

#include "base/fault.h"
#include "os/os.h"

/* ---- Packets ---- */

static struct mark_packet *packet_empty(void)
{
  lock_acquire(&bac_gc.mark_lock);
  struct mark_packet *p = bac_gc.mark_empty;
  if (p != NULL) bac_gc.mark_empty = p->next;
  lock_release(&bac_gc.mark_lock);
  if (p == NULL) p = mem_alloc(sizeof *p);
  if (p == NULL) bac_fatal("out of memory: no room for a mark packet");
  p->len = 0;
  return p;
}

static void packet_publish(struct mark_packet *p)
{
  lock_acquire(&bac_gc.mark_lock);
  p->next = bac_gc.mark_full;
  bac_gc.mark_full = p;
  store_relaxed(&bac_gc.mark_packets, bac_gc.mark_packets + 1);
  lock_release(&bac_gc.mark_lock);
  marker_threads_call();
}

/* Exchanges the marker's empty packet for a shared full one. */
static bool packet_take(struct marker *m)
{
  if (load_relaxed(&bac_gc.mark_packets) == 0) return false;
  lock_acquire(&bac_gc.mark_lock);
  struct mark_packet *p = bac_gc.mark_full;
  if (p != NULL) {
    bac_gc.mark_full = p->next;
    store_relaxed(&bac_gc.mark_packets, bac_gc.mark_packets - 1);
    if (m->packet != NULL) {
      m->packet->next = bac_gc.mark_empty;
      bac_gc.mark_empty = m->packet;
    }
    m->packet = p;
  }
  lock_release(&bac_gc.mark_lock);
  return p != NULL;
}

static inline void marker_push(struct marker *m, value *from, value *end)
{
  struct mark_packet *p = m->packet;
  if (unlikely(p == NULL || p->len == MARK_PACKET_RANGES)) {
    if (p != NULL) packet_publish(p);
    m->packet = p = packet_empty();
  }
  p->range[p->len++] = (struct mark_range){from, end};
}

static inline bool marker_is_empty(const struct marker *m) { return m->packet == NULL || m->packet->len == 0; }

/* Packets that marking filled once and may not need again. [stw] */
enum { EMPTY_PACKETS_KEPT = 64 };

void mark_trim_stw(void)
{
  struct mark_packet **link = &bac_gc.mark_empty;
  for (int kept = 0; *link != NULL && kept < EMPTY_PACKETS_KEPT; kept++) link = &(*link)->next;
  for (struct mark_packet *p = *link, *next; p != NULL; p = next) {
    next = p->next;
    mem_free(p);
  }
  *link = NULL;
}

void mark_flush(struct gc_domain *g)
{
  struct marker *m = &g->marker;
  ephe_flush(m);
  if (marker_is_empty(m)) return;
  packet_publish(m->packet);
  m->packet = NULL;
}

bool mark_has_work(struct gc_domain *g)
{
  return !marker_is_empty(&g->marker) || load_relaxed(&bac_gc.mark_packets) != 0 || ephe_has_work(&g->marker) ||
         finalise_has_work(g);
}

/* ---- One object ---- */

/* A continuation's stack is scanned by exactly one thread, and whoever is about
 * to resume it waits until that is done (gc_keep_continuation): while it is scanned
 * its side byte has the colour CONT_BUSY. */
enum { CONT_BUSY = 3 };

/* v has just been marked. */
static inline void marker_note_key(struct marker *m, value v)
{
  if (unlikely(bac_gc.ephe.by_key)) *vec_push(&m->keys) = v;
}

static inline void note_seen(value v) { heap_note_seen(bac_heap.seen, block_index(v), side_colour(heap_colour())); }

static void mark_continuation(struct marker *m, value v)
{
  note_seen(v);
  uint8_t *side = side_byte(Hp_val(v)), now = load_acquire(side);
  uint8_t slack = now & ~SIDE_COLOUR;
  if ((now & SIDE_COLOUR) != side_colour(heap_other_colour())) return;
  if (!cas_acq_rel(side, &now, (uint8_t)(slack | CONT_BUSY))) return;
  struct mark_visitor visitor;
  mark_visitor_init(&visitor, m);
  bac_gc.client.scan_continuation(v, &visitor.v);
  store_release(side, (uint8_t)(slack | side_colour(heap_colour())));
  marker_note_key(m, v);
}

void gc_keep_continuation(struct domain *d, value cont)
{
  if (!gc_is_marking() || !heap_contains(cont)) return;
  mark_continuation(&gc_domain(d)->marker, cont);
  while ((load_acquire(side_byte(Hp_val(cont))) & SIDE_COLOUR) == CONT_BUSY) os_yield();
}

static NOINLINE bool mark_side_object(struct marker *m, value v, uint8_t kind)
{
  uint8_t *side = side_byte(Hp_val(v)), now = load_relaxed(side);
  if ((now & SIDE_COLOUR) != side_colour(heap_other_colour())) return false;
  if (kind == KIND_CONT) {
    /* Scanned later, from the packet: stacks that hold each other must not nest the scanning. */
    marker_push(m, (value *)v, NULL);
    return true;
  }
  store_relaxed(side, (uint8_t)((now & ~SIDE_COLOUR) | side_colour(heap_colour())));
  marker_note_key(m, v);
  if (kind == KIND_EPHE) ephe_note(m, v);
  return true;
}

/* v is in the heap: marks it, whatever it is. True if it was unmarked. */
static NOINLINE bool mark_object(struct marker *m, value v, header_t unmarked)
{
  note_seen(v);
  uint8_t kind = heap_kind(v);
  if (kind != KIND_SCAN && (kind & 0xf) != KIND_SCAN && kind != KIND_LARGE_REST)
    return mark_side_object(m, v, kind & 0xf);
  header_t hd = Hd_val(v);
  if (unlikely(Tag_hd(hd) == Infix_tag)) {
    v -= Infix_offset_hd(hd);
    hd = Hd_val(v);
  }
  if (Colour_hd(hd) != unmarked) return false;
  header_set_colour(Hp_val(v), hd, heap_colour());
  marker_note_key(m, v);
  tag_t tag = Tag_hd(hd);
  if (likely(tag < No_scan_tag)) {
    size_t first = tag == Closure_tag ? Start_env_closinfo(Closinfo_val(v)) : 0;
    marker_push(m, &Field(v, first), &Field(v, Wosize_hd(hd)));
  }
  return true;
}

bool mark_value(struct marker *m, value v)
{
  if (!Is_block(v) || !heap_contains(v)) return false;
  return mark_object(m, v, heap_other_colour());
}

/* ---- Many ---- */

/* Found values whose headers or side bytes are being fetched: a queue. A low bit says of those that are no plain objects
 * what they are: one in a pool of strings and the like, or anything else.
 * Time of a collection of 6.4 M list cells, and of 6.4 M cells in random order, by the queue's size: 1: 41, 396 ms; 4: 40, 307; 16: 41, 218;
 * 32: 66, 220 (stock: 42, 238). */
enum { MARK_RING = 16, RING_ODD = 1, RING_BYTES = 2 };
struct mark_ring {
  value at[MARK_RING];
  unsigned first, end;            /* counted on without bound; modulo MARK_RING */
};

/* What the loop reads of the heap's description: stores to side bytes may alias anything, so the compiler would
 * fetch it again for each field. */
struct heap_view { uintnat base, bytes; const uint8_t *kind; uint8_t *side, *seen, colour, unmarked; };

/* Strings and the like are half of many heaps: with a call for each, marking such a heap took 15% more instructions. */
static INLINED void mark_bytes(struct marker *m, value v, struct heap_view heap)
{
  uint8_t *side = &heap.side[((uintnat)Hp_val(v) - heap.base) >> SIDE_SHIFT], now = load_relaxed(side);
  if ((now & SIDE_COLOUR) != heap.unmarked) return;
  store_relaxed(side, (uint8_t)(now ^ side_colour(COLOUR_A | COLOUR_B)));
  marker_note_key(m, v);
}

/* Marks a value from the ring. Answers the fields that are to be scanned, if the object is a plain one, or nothing. */
static INLINED struct mark_range mark_found(struct marker *m, value v, struct heap_view heap, header_t unmarked)
{
  struct mark_range none = {NULL, NULL};
  if (v & RING_BYTES) {
    mark_bytes(m, v - RING_BYTES, heap);
    return none;
  }
  if (unlikely(v & RING_ODD)) {
    mark_object(m, v - RING_ODD, unmarked);
    return none;
  }
  header_t hd = Hd_val(v);
  if (unlikely(Tag_hd(hd) >= Closure_tag)) {
    mark_object(m, v, unmarked);
    return none;
  }
  if (Colour_hd(hd) != unmarked) return none;
  header_set_colour(Hp_val(v), hd, COLOUR_A + COLOUR_B - unmarked);
  marker_note_key(m, v);
  return (struct mark_range){&Field(v, 0), &Field(v, Wosize_hd(hd))};
}

static inline value ring_take(struct mark_ring *ring) { return ring->at[ring->first++ % MARK_RING]; }

static inline void mark_range(struct marker *m, struct mark_ring *ring, struct heap_view heap, value *p, value *end,
                              header_t unmarked)
{
  for (; p < end; p++) {
    value v = load_dependent(p);
    uintnat offset = (uintnat)v - heap.base;
    if (!Is_block(v) || offset >= heap.bytes) continue;
    uint8_t kind = load_relaxed(&heap.kind[offset >> BLOCK_SHIFT]);
    heap_note_seen(heap.seen, offset >> BLOCK_SHIFT, heap.colour);
    if (likely(kind == KIND_SCAN)) {
      __builtin_prefetch(Hp_val(v), 1);
    } else {
      __builtin_prefetch(side_byte(Hp_val(v)), 1);
      v |= kind == KIND_NOSCAN ? RING_BYTES : RING_ODD;
    }
    if (likely(ring->end - ring->first == MARK_RING)) {
      struct mark_range r = mark_found(m, ring_take(ring), heap, unmarked);
      if (r.end != NULL) marker_push(m, r.from, r.end);
    }
    ring->at[ring->end++ % MARK_RING] = v;
  }
}

/* Large objects are scanned in pieces, so that a slice stays short and others can take the rest. */
enum { MARK_PIECE_WORDS = 512 };
/* What a continuation counts as: its stack is scanned at once. */
enum { CONTINUATION_WORK = 256 };

/* A continuation, or the first piece of a large object, the rest of which waits; words. */
static size_t mark_unusual(struct marker *m, struct mark_range *r)
{
  if (r->end == NULL) {
    mark_continuation(m, (value)r->from);
    r->end = r->from;
    return CONTINUATION_WORK;
  }
  marker_push(m, r->from + MARK_PIECE_WORDS, r->end);
  r->end = r->from + MARK_PIECE_WORDS;
  return 0;
}

/* Grey objects only. When no range waits anywhere, the oldest value of the ring is next, and only that one: what it brings, the
 * next cell of a list say, is then fetched beside the others. (With the ring before the shared packets, a list whose cells are in an array
 * too, in random order, took 200 ns for each cell: it was followed to its end while the array waited. Now 30.) */
static size_t mark_grey(struct marker *m, size_t budget)
{
  struct mark_ring ring = {.first = 0, .end = 0};
  const struct heap_view heap = {bac_heap.base, bac_heap.bytes, bac_heap.kind, bac_heap.side, bac_heap.seen, side_colour(heap_colour()), side_colour(heap_other_colour())};
  const header_t unmarked = heap_other_colour();
  size_t done = 0;
  while (done < budget) {
    struct mark_range r;
    if (!marker_is_empty(m)) {
      r = m->packet->range[--m->packet->len];
      if (unlikely(r.end - r.from > MARK_PIECE_WORDS || r.end == NULL)) done += mark_unusual(m, &r);
    } else if (packet_take(m)) {
      continue;
    } else if (ring.first != ring.end) {
      r = mark_found(m, ring_take(&ring), heap, unmarked);
    } else {
      break;
    }
    mark_range(m, &ring, heap, r.from, r.end, unmarked);
    done += r.end - r.from + 1;
  }
  while (ring.first != ring.end) {
    struct mark_range r = mark_found(m, ring_take(&ring), heap, unmarked);
    if (r.end != NULL) marker_push(m, r.from, r.end);
  }
  return done;
}

/* Marked objects that are noted as possible keys are looked up in between, so that they do not pile up. */
enum { MARK_STRETCH_WORDS = 16 * 1024 };

size_t mark_some(struct gc_domain *g, size_t budget)
{
  struct marker *m = &g->marker;
  size_t done = 0;
  while (done < budget) {
    size_t words = mark_grey(m, bac_gc.ephe.by_key ? min_size(budget - done, MARK_STRETCH_WORDS) : budget - done);
    if (words == 0 || m->keys.len != 0) words += ephe_mark_some(m, budget - done);
    if (words == 0) words = finalise_mark_some(g, m, min_size(budget - done, MARK_STRETCH_WORDS));
    if (words == 0) break;
    done += words;
  }
  add_relaxed(&bac_gc.pacing.mark_done, done);
  return done;
}

static void mark_visit(struct root_visitor *v, value *slots, size_t count)
{
  struct marker *m = ((struct mark_visitor *)v)->m;
  if (FAULT(lost_root) && count > 1) count--;
  for (size_t i = 0; i < count; i++) mark_value(m, slots[i]);
}

void mark_visitor_init(struct mark_visitor *v, struct marker *m)
{
  v->v = (struct root_visitor){mark_visit, false};
  v->m = m;
}

/* A participant gives up after a while without work, unless it is the leader: the leader
 * stays until nobody has any. */
struct drain_job { struct gc_domain *leader; int busy; };

static void drain_work(struct domain *participant, void *arg)
{
  struct drain_job *job = arg;
  struct gc_domain *g = gc_domain(participant);
  do {
    add_seq(&job->busy, 1);
    while (mark_some(g, 100000) != 0) mark_flush(g);
    sub_seq(&job->busy, 1);
    for (int spins = 0; spins < 1000 && load_seq(&job->busy) != 0 && !mark_has_work(g); spins++) os_relax();
    if (g == job->leader && load_seq(&job->busy) != 0) os_yield();
  } while (mark_has_work(g) || (g == job->leader && load_seq(&job->busy) != 0));
}

void mark_drain_stw(struct gc_domain *leader)
{
  for_each_gc_domain(g) mark_flush(g);
  struct drain_job job = {leader, 0};
  int want = load_relaxed(&bac_gc.mark_packets) > 4 ? 0 : 1;
  stw_parallel(want, drain_work, &job);
}
