/* SPDX-License-Identifier: MIT */
/* The event rings as a reader of the file sees them (FIELD S9): what is lost is counted in words by the positions and in
 * events by the third figure of a ring, exactly, also beyond 2^31, 2^32 and 2^62 words. */
#include "../unit/unit.h"

#include "gc/gc.h"
#include "observe/events.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- A collector without a program ---- */

static bool yes(struct domain *d) { return d != NULL; }
static void nothing(struct domain *d) { (void)d; }
static void no_roots(struct domain *d, struct root_visitor *v) { (void)d, (void)v; }
static void no_process_roots(struct root_visitor *v, bool young_only) { (void)v; }
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
  events_configure("/tmp", 0);
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

static struct reader reader_open(void)
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
  uint64_t *ring = map + map[5] / 8;
  struct reader r = {.head = ring, .tail = ring + 1, .lost = ring + 2, .words = map + map[6] / 8};
  return r;
}

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

UNIT_MAIN()
