/* SPDX-License-Identifier: MIT */
/* The event rings as a reader of the file sees them (FIELD S9): what is lost is counted in words by the positions and in
 * events by the third figure of a ring, exactly, also beyond 2^31, 2^32 and 2^62 words. And what the collector tells there: which
 * phases, and that on each ring they nest. */
#include "../unit/unit.h"

#include "gc/state.h"
#include "observe/events.h"
#include "os/os.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- A collector without a program ---- */

static bool yes(struct domain *d) { return d != NULL; }
static void nothing(struct domain *d) { (void)d; }
static void no_roots(struct domain *d, struct root_visitor *v) { (void)d, (void)v; }
static void no_process_roots(struct root_visitor *v) { (void)v; }
static bool no_finaliser(value v) { return v == 0; }

static struct domain *started(void)
{
  static struct domain *d;
  if (d != NULL) return d;
  const struct gc_client client = {
      .state_size = sizeof(struct window), .domain_init = yes, .domain_fini = nothing, .scan_domain = no_roots,
      .scan_process = no_process_roots, .custom_has_finaliser = no_finaliser};
  struct gc_params p = gc_params_default;
  const char *why;
  p.max_domains = 2;
  d = gc_init(&p, &client, &why);
  if (d == NULL) bac_fatal("%s", why);
  events_configure("/tmp", 11);
  if (!events_start(d)) bac_fatal("no event file");
  return d;
}

/* ---- A reader, by the layout that events.h describes ---- */

enum { RING_WORDS = 2048 };

struct reader {
  uint64_t *head, *tail, *lost, *words;
  uint64_t at;                   /* next word to read */
  uint64_t read_words, read_events, lost_words, lost_events;   /* so far */
};

static struct reader reader_open_ring(int slot)
{
  static uint64_t *map;
  if (map == NULL) {
    char name[EVENTS_LOCATION_BYTES];
    struct stat st;
    bool there = events_location(name);
    int fd = there ? open(name, O_RDWR) : -1;
    if (fd < 0 || fstat(fd, &st) != 0) bac_fatal("the event file cannot be opened");
    map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) bac_fatal("the event file cannot be mapped");
  }
  EXPECT_EQ(map[4], RING_WORDS);
  uint64_t *ring = map + (map[5] + (uint64_t)slot * map[2]) / 8;
  return (struct reader){.head = ring, .tail = ring + 1, .lost = ring + 2, .words = map + (map[6] + (uint64_t)slot * map[3]) / 8};
}

static struct reader reader_open(void) { return reader_open_ring(0); }

static uint64_t message_words(const struct reader *r, uint64_t at) { return r->words[at % RING_WORDS] >> 54; }
static bool message_is_event(const struct reader *r, uint64_t at) { return (r->words[at % RING_WORDS] >> 49 & 0x1f) != EVENT_PADDING; }

/* Reads [most] messages at most. The reader has been there since [lost_before] events were lost. */
static void reader_read(struct reader *r, int most, uint64_t lost_before)
{
  if (r->at < *r->head) {
    r->lost_words += *r->head - r->at;
    r->lost_events = *r->lost - lost_before - r->read_events;
    r->at = *r->head;
  }
  while (r->at < *r->tail && most-- > 0) {
    uint64_t words = message_words(r, r->at);
    REQUIRE(words != 0);
    r->read_events += message_is_event(r, r->at);
    r->read_words += words;
    r->at += words;
  }
}

/* ---- Phases ---- */

/* The phases that have begun on a ring and not ended, and all that ever began. */
struct nest {
  struct reader r;
  unsigned open[64], depth;
  uint64_t seen, last_time;
};

static void nest_open(struct nest *n, int slot)
{
  *n = (struct nest){.r = reader_open_ring(slot)};
  n->r.at = load_acquire(n->r.tail);
}

static void nest_message(struct nest *n, uint64_t message, uint64_t time)
{
  unsigned type = message >> 49 & 0xf, phase = message >> 36 & 0x1fff;
  EXPECT(time >= n->last_time);
  n->last_time = time;
  if (type == EVENT_BEGIN) {
    REQUIRE(n->depth < 64 && phase < 64);
    n->open[n->depth++] = phase;
    n->seen |= (uint64_t)1 << phase;
  } else if (type == EVENT_END) {
    REQUIRE(n->depth > 0);
    EXPECT_EQ(phase, n->open[--n->depth]);
  }
}

/* All that was written since; the ring must not have come round. */
static void nest_read(struct nest *n)
{
  uint64_t tail = load_acquire(n->r.tail);
  REQUIRE(n->r.at >= load_acquire(n->r.head));
  while (n->r.at < tail) {
    if (message_is_event(&n->r, n->r.at))
      nest_message(n, n->r.words[n->r.at % RING_WORDS], n->r.words[n->r.at % RING_WORDS + 1]);
    n->r.at += message_words(&n->r, n->r.at);
  }
}

static value table = Val_unit;
static uint32_t stop;

static void fill_nursery(struct domain *d)
{
  uint64_t before = load_relaxed(&bac_gc.minor_collections);
  while (load_relaxed(&bac_gc.minor_collections) == before) {
    gc_nursery_alloc(d, 8);
    *d->window->young_ptr = Make_header(7, String_tag, 0);
  }
}

/* An ephemeron in the table, and values with finalisers that only it refers to, weakly. */
static void make_weak_things(struct domain *d)
{
  table = gc_ephe_create(d, 2);
  for (mlsize_t i = 0; i < 2; i++) {
    value v = gc_alloc_major(d, 1, 0);
    gc_init_field(d, &Field(v, 0), Val_unit);
    gc_ephe_set(d, table, EPHE_FIRST_KEY + i, v);
    gc_finalise(d, i == 0, Val_unit, v);
    gc_minor(d);
  }
}

static void call_finalisers(struct domain *d)
{
  value closure, arg;
  while (gc_finaliser_take(d, &closure, &arg)) gc_finaliser_done(d);
}

static void *thread_polls(void *arg)
{
  struct domain *d = arg;
  domain_set_self(d);
  domain_leave_blocking(d);
  while (!load_relaxed(&stop)) {
    if (domain_has_interrupts(d)) gc_poll(d);
    os_yield();
  }
  gc_domain_terminate(d);
  return NULL;
}

static void start_leader(struct domain *d, void *arg)
{
  (void)arg;
  if (bac_gc.phase == PHASE_IDLE) cycle_start_stw(gc_domain(d));
}

/* What the program may do, a step at a time. */
static void collect_step(struct domain *d, int n)
{
  switch (n % 7) {
  case 0: make_weak_things(d); break;
  case 1: fill_nursery(d); break;
  case 2: gc_major_slice(d, 10); break;
  case 3: gc_major(d); break;
  case 4: gc_full_major(d); break;
  case 5:
    while (!stw_run(d, start_leader, NULL)) continue;
    gc_compact_now(d);
    break;
  default: gc_compact(d);
  }
  call_finalisers(d);
}

static const unsigned main_phases[] = {
  TRACE_MAJOR, TRACE_MAJOR_SWEEP, TRACE_MAJOR_MARK_ROOTS, TRACE_MAJOR_MARK, TRACE_MINOR, TRACE_MINOR_LOCAL_ROOTS, TRACE_MINOR_CUSTOM,
  TRACE_FINALISE_FIRST, TRACE_FINALISE_LAST, TRACE_EPHE_MARK, TRACE_EPHE_SWEEP, TRACE_FINISH_MARKING, TRACE_CYCLE_DOMAINS,
  TRACE_PHASE_CHANGE, TRACE_CYCLE_STW, TRACE_MAJOR_SLICE, TRACE_MAJOR_FINISH_CYCLE, TRACE_MINOR_CLEAR, TRACE_MINOR_FINALISERS_ROOTS,
  TRACE_MINOR_GLOBAL_ROOTS, TRACE_STW_GATHER, TRACE_STW_LEADER, TRACE_FINISH_SWEEPING, TRACE_MINOR_FINALISERS, TRACE_COMPACT,
  TRACE_COMPACT_EVACUATE, TRACE_COMPACT_FORWARD, TRACE_COMPACT_RELEASE,
};

TEST(phases_nest)
{
  struct domain *d = started(), *other = gc_domain_create(d);
  struct nest mine, others;
  pthread_t thread;
  gc_root_add(&table);
  nest_open(&mine, 0);
  nest_open(&others, other->slot);
  REQUIRE(pthread_create(&thread, NULL, thread_polls, other) == 0);
  /* On a busy machine the other thread may take its time to come. */
  for (int n = 0; n < 100 || (n < 100000 && !(others.seen >> TRACE_STW_HANDLER & 1)); n++) {
    collect_step(d, n);
    nest_read(&mine);
    EXPECT_EQ(mine.depth, 0);
    nest_read(&others);
  }
  domain_enter_blocking(d);
  store_relaxed(&stop, 1);
  pthread_join(thread, NULL);
  domain_leave_blocking(d);
  nest_read(&others);
  EXPECT_EQ(others.depth, 0);
  for (size_t i = 0; i < sizeof main_phases / sizeof *main_phases; i++)
    if (!(mine.seen >> main_phases[i] & 1)) UNIT_FAIL("phase %u was never told", main_phases[i]);
  EXPECT(others.seen >> TRACE_STW_HANDLER & 1);
  gc_root_remove(&table);
}

/* ---- What is lost ---- */

static uint64_t write_some(struct domain *d, int n)
{
  static const uint64_t data[EVENTS_DATA_WORDS_MAX];
  for (int i = 0; i < n; i++) {
    size_t words = rng_below(&unit_rng, 20) == 0 ? rng_below(&unit_rng, EVENTS_DATA_WORDS_MAX) : rng_below(&unit_rng, 5);
    events_user(d, 1, EVENT_USER_CUSTOM, data, words);
  }
  return (uint64_t)n;
}

/* From a ring that is empty at [from]. A reader that is slow at times; in the end each event was read or lost, and each word. */
static void expect_all_accounted(uint64_t from)
{
  struct domain *d = started();
  struct reader r = reader_open();
  *r.head = *r.tail = r.at = from;
  uint64_t lost_before = *r.lost, written = 0;
  for (int round = 0; round < 300; round++) {
    written += write_some(d, (int)rng_below(&unit_rng, 400));
    reader_read(&r, (int)rng_below(&unit_rng, 300), lost_before);
  }
  reader_read(&r, INT32_MAX, lost_before);
  EXPECT(r.lost_events > 0 && r.lost_words > r.lost_events);
  EXPECT_EQ(r.read_events + r.lost_events, written);
  EXPECT_EQ(r.read_words + r.lost_words, *r.tail - from);
  EXPECT(*r.tail > from && *r.tail - *r.head < RING_WORDS);
}

TEST(all_is_read_or_lost) { expect_all_accounted(0); }

TEST(positions_do_not_overflow)
{
  static const int bits[] = {31, 32, 53, 62};
  for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
    expect_all_accounted(((uint64_t)1 << bits[i]) - 100 * RING_WORDS);
}

TEST(counts_of_lost_events_do_not_overflow)
{
  struct reader r = (started(), reader_open());
  *r.lost = ((uint64_t)1 << 32) - 5;
  write_some(started(), 5000);
  EXPECT(*r.lost > (uint64_t)1 << 32);
  events_stop(started(), false);
}

/* Events so far, lost or in a ring of [size] words. */
static uint64_t events_told(const uint64_t *head, const uint64_t *words, uint64_t size)
{
  uint64_t told = head[2];
  for (uint64_t at = head[0]; at < head[1]; at += words[at % size] >> 54)
    told += (words[at % size] >> 49 & 0x1f) != EVENT_PADDING;
  return told;
}

/* e=4, as in stock: only short messages fit; one that does not is lost, and does no harm. */
TEST(a_small_ring)
{
  enum { SMALL = 16, MESSAGES = 1000 };
  static const uint64_t data[SMALL];
  struct domain *d = started();
  events_configure("/tmp", 4);
  REQUIRE(events_start(d));
  char name[EVENTS_LOCATION_BYTES];
  REQUIRE(events_location(name));
  int fd = open(name, O_RDONLY);
  struct stat st;
  REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
  const uint64_t *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  REQUIRE(map != MAP_FAILED);
  EXPECT_EQ(map[4], SMALL);
  const uint64_t *head = map + map[5] / 8, *words = map + map[6] / 8;
  uint64_t before = events_told(head, words, SMALL), long_ones = 0;
  for (int i = 0; i < MESSAGES; i++) {
    uint64_t tail = head[1];
    size_t n = rng_below(&unit_rng, SMALL);
    events_user(d, 1, EVENT_USER_CUSTOM, data, n);
    if (head[1] == tail) long_ones++;
    EXPECT(n > SMALL / 2 - 2 || head[1] > tail);
    EXPECT(head[1] - head[0] < SMALL);
  }
  EXPECT(long_ones > 0);
  EXPECT_EQ(events_told(head, words, SMALL) - before, MESSAGES);
  events_stop(d, false);
}

UNIT_MAIN()
