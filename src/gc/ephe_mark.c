/* SPDX-License-Identifier: MIT */
/* Ephemerons in the major cycle: which data is alive, and the cleaning of dead keys.
 *
 * MARKING. Marking notes each ephemeron that it reaches (ephe_note) and does not
 * scan it. When nothing grey is left in the whole process, marking goes on "by key"
 * (ephe_start_by_key_stw): each ephemeron that was noted is looked at. Are all its keys marked, its
 * data is marked; else it waits for the first key that is not. From then on each object that
 * gets marked is kept in marker.keys and looked up among the awaited keys, and the ephemerons that
 * wait for it are looked at again, from that key on. So a key of an ephemeron is
 * looked at twice at the most, and an object looked up once: the work is linear. Before, marking
 * knows nothing of keys, and a program without ephemerons never does.
 *
 * All of it is done in pieces, by any domain, while the program runs. What the program does meanwhile:
 *   - what it reads out of an ephemeron is marked (gc_ephe_get), what it stores there it holds, so it will be;
 *   - a store over a key that is awaited makes the ephemeron be looked at again (ephe.c);
 *   - young keys count as marked, young data needs no mark.
 * An ephemeron that once had all its keys marked therefore needs no second look.
 *
 * No key is missed (EPHE-1): one domain finds a key unmarked and lets an ephemeron wait for it, while
 * another marks it and looks it up. The waiting and the look-up take keys_lock, and the
 * colour is read again under it: whichever comes second sees the other.
 *
 * CLEANING. In the CLEAN phase, before anything is swept, dead keys are taken out, and with a dead key the
 * data, again in pieces. Readers treat a dead key as gone already, and writers settle
 * what they write over (ephe.c). Data goes before the key, so that whoever finds the key gone finds no data.
 *
 * Design page: docs/design/ephemerons.md. Tests: tests/unit/gc_ephe_test.c, tests/gc/ephe_*.ml, tests/model. */
#include "gc/state.h"

/* ---- Packets ---- */

static void ephe_list_push(struct ephe_packet **list, struct ephe_packet *p)
{
  lock_acquire(&bac_gc.ephe.list_lock);
  p->next = *list;
  store_relaxed(list, p);
  lock_release(&bac_gc.ephe.list_lock);
}

static struct ephe_packet *ephe_list_pop(struct ephe_packet **list)
{
  if (load_relaxed(list) == NULL) return NULL;
  lock_acquire(&bac_gc.ephe.list_lock);
  struct ephe_packet *p = *list;
  if (p != NULL) store_relaxed(list, p->next);
  lock_release(&bac_gc.ephe.list_lock);
  return p;
}

static void ephe_publish(struct ephe_packet *p)
{
  ephe_list_push(p->at < p->len ? &bac_gc.ephe.found : &bac_gc.ephe.looked, p);
}

void ephe_note(struct marker *m, value ephe)
{
  struct ephe_packet *p = m->ephes;
  if (p == NULL || p->len == EPHE_PACKET) {
    if (p != NULL) ephe_publish(p);
    m->ephes = p = mem_alloc(sizeof *p);
    if (p == NULL) bac_fatal("out of memory: no room for the list of ephemerons");
    p->len = p->at = 0;
  }
  p->ephe[p->len++] = ephe;
}

void ephe_flush(struct marker *m)
{
  struct ephe_packet *p = m->ephes;
  if (p == NULL || p->at == p->len) return;
  m->ephes = NULL;
  ephe_publish(p);
}

void ephe_hand_over_stw(struct marker *to, struct marker *from)
{
  if (from->ephes != NULL) ephe_publish(from->ephes);
  from->ephes = NULL;
  if (from == to) return;
  for (size_t i = 0; i < from->keys.len; i++) *vec_push(&to->keys) = from->keys.at[i];
  for (size_t i = 0; i < from->woken.len; i++) *vec_push(&to->woken) = from->woken.at[i];
  vec_clear(&from->keys);
  vec_clear(&from->woken);
}

/* ---- Awaited keys ---- */

static value key_block(value key)
{
  if (Tag_val(key) == Infix_tag) key -= Infix_offset_hd(Hd_val(key));
  return key;
}

/* Lets [ephe] wait for its key at [index]. False: that has just been marked. */
static bool ephe_await(value ephe, mlsize_t index, value key)
{
  lock_acquire(&bac_gc.ephe.keys_lock);
  bool waits = !mark_is_marked(key);
  if (waits) {
    key = key_block(key);
    bac_heap.block[block_index(key)].awaited = true;
    keys_add(&bac_gc.ephe.keys, key, ephe, index);
  }
  lock_release(&bac_gc.ephe.keys_lock);
  return waits;
}

/* Keys that are looked up under one hold of the lock, ephemerons that are woken together, and how many
 * look-ups count as a word of work. */
enum { LOOKUPS = 256, LOOKUPS_AHEAD = 8, WOKEN = 1024, LOOKUPS_PER_WORD = 4 };

/* Keys tend to have a size of their own, hence blocks of their own: most objects that get marked need no look into the table.
 * With keys_lock. */
static inline bool ephe_may_be_awaited(value v) { return bac_heap.block[block_index(v)].awaited; }

/* Looks up what was marked lately; words of work. */
static size_t ephe_look_up(struct marker *m)
{
  size_t n = 0, most = WOKEN;
  lock_acquire(&bac_gc.ephe.keys_lock);
  if (bac_gc.ephe.keys.waiting == 0) {
    n = m->keys.len;
    vec_clear(&m->keys);
  }
  for (; n < LOOKUPS && m->keys.len != 0; n++) {
    value ahead = m->keys.len > LOOKUPS_AHEAD ? m->keys.at[m->keys.len - 1 - LOOKUPS_AHEAD] : 0;
    if (ahead != 0 && ephe_may_be_awaited(ahead)) keys_prefetch(&bac_gc.ephe.keys, ahead);
    value key = m->keys.at[m->keys.len - 1];
    if (ephe_may_be_awaited(key) && !keys_take(&bac_gc.ephe.keys, key, &most, &m->woken)) break;
    m->keys.len--;
  }
  lock_release(&bac_gc.ephe.keys_lock);
  return n / LOOKUPS_PER_WORD + 1;
}

/* ---- Looking ---- */

/* Marks the data of [ephe] if its keys from index [from] on are marked: those before are. Words of work. */
static size_t ephe_look(struct marker *m, value ephe, mlsize_t from)
{
  value data = load_acquire(&Field(ephe, EPHE_DATA));
  if (mark_is_marked(data)) return 1;
  mlsize_t size = Wosize_val(ephe);
  for (mlsize_t i = from; i < size; i++) {
    value key = ephe_key_shortcut(&Field(ephe, i));
    if (!mark_is_marked(key) && ephe_await(ephe, i, key)) return 2 + i - from;
  }
  mark_value(m, data);
  return 2 + size - from;
}

static inline void ephe_prefetch_header(value v)
{
  if (Is_block(v)) __builtin_prefetch(Hp_val(v));
}

/* An ephemeron that comes soon, and the headers of data and first key of one that comes sooner: each would be a miss of
 * its own, and looking at ephemerons was a sixth of a program with 40,000 of them. */
static void ephe_prefetch(const struct ephe_packet *p)
{
  enum { AHEAD = 8 };
  if (p->at + 2 * AHEAD < p->len) __builtin_prefetch(Hp_val(p->ephe[p->at + 2 * AHEAD]));
  if (p->at + AHEAD >= p->len) return;
  value soon = p->ephe[p->at + AHEAD];
  ephe_prefetch_header(load_relaxed(&Field(soon, EPHE_DATA)));
  if (Wosize_val(soon) > EPHE_FIRST_KEY) ephe_prefetch_header(load_relaxed(&Field(soon, EPHE_FIRST_KEY)));
}

static size_t ephe_look_at_found(struct marker *m)
{
  struct ephe_packet *p = m->ephes;
  if (p == NULL || p->at == p->len) {
    struct ephe_packet *more = ephe_list_pop(&bac_gc.ephe.found);
    if (more == NULL) return 0;
    if (p != NULL) ephe_publish(p);
    m->ephes = p = more;
  }
  ephe_prefetch(p);
  /* Marking the data may put another packet in this one's place. */
  return ephe_look(m, p->ephe[p->at++], EPHE_FIRST_KEY);
}

static bool ephe_found_any(const struct marker *m)
{
  return (m->ephes != NULL && m->ephes->at < m->ephes->len) || load_relaxed(&bac_gc.ephe.found) != NULL;
}

bool ephe_has_work(const struct marker *m)
{
  return bac_gc.ephe.by_key && (m->keys.len != 0 || m->woken.len != 0 || ephe_found_any(m));
}

size_t ephe_mark_some(struct marker *m, size_t budget)
{
  size_t done = 0;
  if (!ephe_has_work(m)) return 0;
  trace_begin(domain_self(), TRACE_EPHE_MARK);
  while (done < budget) {
    size_t words;
    if (m->woken.len != 0) {
      struct ephe_wait w = vec_pop(&m->woken);
      words = ephe_look(m, w.ephe, w.index + 1);
    } else if (m->keys.len != 0) {
      words = ephe_look_up(m);
    } else {
      words = ephe_look_at_found(m);
    }
    if (words == 0) break;
    done += words;
  }
  trace_end(domain_self(), TRACE_EPHE_MARK);
  return done;
}

bool ephe_start_by_key_stw(void)
{
  if (bac_gc.ephe.by_key || bac_gc.ephe.found == NULL) return false;
  for (uint32_t i = 0; i < bac_heap.committed; i++) bac_heap.block[i].awaited = false;
  return bac_gc.ephe.by_key = true;
}

/* ---- Cleaning ---- */

void ephe_begin_clean_stw(void)
{
  struct ephe_state *s = &bac_gc.ephe;
  CHECK(s->found == NULL);
  for_each_gc_domain(g) CHECK(g->marker.keys.len == 0 && g->marker.woken.len == 0);
  s->by_key = false;
  size_t bytes = s->keys.waits.len * sizeof *s->keys.waits.at + s->keys.buckets.len * sizeof *s->keys.buckets.at;
  for (struct ephe_packet *p = s->looked; p != NULL; p = p->next) {
    bytes += sizeof *p;
    p->at = 0;
    p->key = EPHE_FIRST_KEY;
  }
  s->table_words = bytes / sizeof(value);
}

void ephe_clean_keys(value ephe, mlsize_t from, mlsize_t to)
{
  for (mlsize_t i = from; i < to; i++) {
    if (mark_is_marked(ephe_key_shortcut(&Field(ephe, i)))) continue;
    store_release(&Field(ephe, EPHE_DATA), bac_ephe_none);
    store_release(&Field(ephe, i), bac_ephe_none);
  }
}

/* Keys that are cleaned under one hold of the lock. */
enum { CLEAN_PIECE = 256 };

static bool ephe_has_dead_key(value ephe, mlsize_t from, mlsize_t to)
{
  for (mlsize_t i = from; i < to; i++)
    if (!mark_is_marked(load_relaxed(&Field(ephe, i)))) return true;
  return false;
}

/* A piece of a packet; words of work. */
static size_t ephe_clean_piece(struct ephe_packet *p)
{
  value ephe = p->ephe[p->at];
  mlsize_t size = Wosize_val(ephe), from = p->key, to = min_size(size, from + CLEAN_PIECE);
  ephe_prefetch(p);
  if (ephe_has_dead_key(ephe, from, to)) {
    lock_acquire(&bac_gc.ephe.clean_lock);
    ephe_clean_keys(ephe, from, to);
    lock_release(&bac_gc.ephe.clean_lock);
  }
  p->key = to;
  if (to >= size) {
    p->key = EPHE_FIRST_KEY;
    p->at++;
  }
  return 2 + (to > from ? to - from : 0);
}

size_t ephe_clean_some(size_t budget)
{
  size_t done = 0;
  if (load_relaxed(&bac_gc.ephe.looked) == NULL) return 0;
  if (load_relaxed(&bac_gc.ephe.keys.waits.at) != NULL) {
    lock_acquire(&bac_gc.ephe.keys_lock);
    keys_free(&bac_gc.ephe.keys);
    lock_release(&bac_gc.ephe.keys_lock);
  }
  trace_begin(domain_self(), TRACE_EPHE_SWEEP);
  while (done < budget) {
    struct ephe_packet *p = ephe_list_pop(&bac_gc.ephe.looked);
    if (p == NULL) break;
    while (done < budget && p->at < p->len) done += ephe_clean_piece(p);
    if (p->at < p->len)
      ephe_list_push(&bac_gc.ephe.looked, p);
    else
      mem_free(p);
  }
  trace_end(domain_self(), TRACE_EPHE_SWEEP);
  return done;
}
