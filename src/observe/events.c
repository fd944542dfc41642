/* SPDX-License-Identifier: MIT */
/* The event rings: see events.h. Also the collector's tracer.
 *
 * State: where the file is and is mapped, changed with the world stopped; names of the program's
 * events, which outlive the file. */
#include "observe/events.h"

#include "base/memory.h"
#include "gc/hooks.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct events_header {
  uint64_t version, max_domains;
  uint64_t ring_header_bytes, ring_bytes, ring_words;
  uint64_t headers_at, rings_at, names_at;      /* byte offsets from here */
};

struct ring_header {
  uint64_t head, tail;       /* [atomic] */
  uint64_t lost;             /* [atomic] events, not words, that were overwritten: those before head */
  uint64_t unused[7];
};

typedef char event_name[EVENTS_NAME_BYTES];

static struct {
  char *folder;              /* [const] */
  unsigned log2_ring_words;  /* [const] */
  struct events_header *map; /* [stw, atomic read] NULL: not begun */
  size_t size;               /* [stw] of the file */
  char location[EVENTS_LOCATION_BYTES];   /* [stw] */
  uint32_t paused;           /* [atomic] */
  event_name *names;         /* [atomic] allocated with the first */
  uint32_t name_count;       /* [atomic] */
} events = {.log2_ring_words = 16};

static struct events_header *events_map(void) { return load_acquire(&events.map); }
bool events_is_on(void) { return events_map() != NULL && !load_relaxed(&events.paused); }

/* ---- Writing ---- */

/* length:10 user:1 type:4 number:13 unused:36 */
enum { LENGTH_SHIFT = 54, USER_SHIFT = 53, TYPE_SHIFT = 49, NUMBER_SHIFT = 36 };

static uint64_t message_header(size_t words, bool user, unsigned type, unsigned number)
{
  return (uint64_t)words << LENGTH_SHIFT | (uint64_t)user << USER_SHIFT | (uint64_t)type << TYPE_SHIFT |
         (uint64_t)number << NUMBER_SHIFT;
}

struct ring {
  struct ring_header *at;
  uint64_t *words;
  uint64_t size;
};

static struct ring ring_of(struct events_header *map, struct domain *d)
{
  char *base = (char *)map;
  return (struct ring){(struct ring_header *)(base + map->headers_at) + d->slot,
                       (uint64_t *)(base + map->rings_at + (uint64_t)d->slot * map->ring_bytes), map->ring_words};
}

/* Takes out the oldest messages until [words] can be written behind the tail. What is overwritten is
 * taken out before: the fence orders the one before the other for readers. */
static void ring_make_room(struct ring *r, uint64_t words)
{
  uint64_t head = r->at->head, tail = r->at->tail, lost = 0;
  if (tail + words - head < r->size) return;
  while (tail + words - head >= r->size) {
    uint64_t message = r->words[head & (r->size - 1)];
    lost += (message & ((uint64_t)0x1f << TYPE_SHIFT)) != (uint64_t)EVENT_PADDING << TYPE_SHIFT;
    head += message >> LENGTH_SHIFT;
  }
  store_relaxed(&r->at->lost, r->at->lost + lost);
  store_relaxed(&r->at->head, head);
  fence_release();
}

static void ring_write(struct ring *r, uint64_t header, const uint64_t *data, size_t data_words)
{
  uint64_t words = data_words + 2, tail = r->at->tail, at = tail & (r->size - 1);
  uint64_t padding = r->size - at < words ? r->size - at : 0;
  if (words + padding >= r->size) {   /* only the program's are so long, in a small ring */
    store_relaxed(&r->at->lost, r->at->lost + 1);
    return;
  }
  ring_make_room(r, words + padding);
  if (padding != 0) {
    r->words[at] = message_header(padding, false, EVENT_PADDING, 0);
    at = 0;
  }
  uint64_t *to = &r->words[at];
  to[0] = header;
  to[1] = os_now_ns();
  if (data_words != 0) memcpy(&to[2], data, data_words * sizeof *data);
  store_release(&r->at->tail, tail + padding + words);
}

static void write_message(struct domain *d, bool user, unsigned type, unsigned number, const uint64_t *data,
                          size_t words)
{
  struct events_header *map = events_map();
  if (map == NULL || load_relaxed(&events.paused)) return;
  struct ring r = ring_of(map, d);
  ring_write(&r, message_header(words + 2, user, type, number), data, words);
}

void events_begin(struct domain *d, unsigned phase) { write_message(d, false, EVENT_BEGIN, phase, NULL, 0); }
void events_end(struct domain *d, unsigned phase) { write_message(d, false, EVENT_END, phase, NULL, 0); }

void events_counter(struct domain *d, unsigned counter, uint64_t n)
{
  write_message(d, false, EVENT_COUNTER, counter, &n, 1);
}

void events_tell(struct domain *d, enum events_lifecycle what, int64_t data)
{
  uint64_t word = (uint64_t)data;
  write_message(d, false, EVENT_LIFECYCLE, what, &word, 1);
}

void events_user(struct domain *d, int number, unsigned type, const uint64_t *data, size_t words)
{
  write_message(d, true, type, (unsigned)number, data, words);
}

/* ---- Names ---- */

static void name_to_file(struct events_header *map, uint32_t number)
{
  event_name *names = (event_name *)((char *)map + map->names_at);
  memcpy(names[number], events.names[number], EVENTS_NAME_BYTES);
}

/* The table is made by whoever comes first. */
static event_name *names_table(void)
{
  event_name *names = load_acquire(&events.names);
  if (names != NULL) return names;
  size_t size = EVENTS_NAMES_MAX * sizeof *names;
  event_name *fresh = os_alloc(size);
  if (fresh == NULL || cas_acq_rel(&events.names, &names, fresh)) return fresh;
  os_free(fresh, size);
  return names;
}

int events_register(const char *name)
{
  event_name *names = names_table();
  if (names == NULL) return -1;
  uint32_t number = add_seq(&events.name_count, 1);
  if (number >= EVENTS_NAMES_MAX) {
    sub_seq(&events.name_count, 1);
    return -1;
  }
  strncpy(names[number], name, EVENTS_NAME_BYTES - 1);
  struct events_header *map = events_map();
  if (map != NULL) name_to_file(map, number);
  return (int)number;
}

void events_free_names(void)
{
  if (events.names != NULL) os_free(events.names, EVENTS_NAMES_MAX * sizeof *events.names);
  events.names = NULL;
}

/* ---- The file ---- */

void events_configure(const char *folder, unsigned log2_ring_words)
{
  events.folder = folder ? mem_strdup(folder) : NULL;
  /* A ring holds some of the runtime's own messages; 2^32 words are more than any file. */
  if (log2_ring_words < 4) log2_ring_words = 4;
  events.log2_ring_words = log2_ring_words > 32 ? 32 : log2_ring_words;
}

static struct events_header layout(void)
{
  uint64_t domains = (uint64_t)bac_domains.slots, words = (uint64_t)1 << events.log2_ring_words;
  struct events_header h = {
    .version = 1, .max_domains = domains, .ring_header_bytes = sizeof(struct ring_header),
    .ring_bytes = words * sizeof(uint64_t), .ring_words = words, .headers_at = sizeof h,
  };
  h.rings_at = h.headers_at + domains * h.ring_header_bytes;
  h.names_at = h.rings_at + domains * h.ring_bytes;
  return h;
}

static void *map_file(const char *path, size_t size)
{
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return NULL;
  void *map = ftruncate(fd, (off_t)size) == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  int error = errno;
  if (map == MAP_FAILED) unlink(path);
  close(fd);
  errno = error;
  return map == MAP_FAILED ? NULL : map;
}

static const struct gc_tracer tracer = {events_begin, events_end, events_counter};

static bool location_choose(void)
{
  long pid = (long)getpid();
  const char *folder = events.folder ? events.folder : "", *slash = events.folder ? "/" : "";
  int len = snprintf(events.location, sizeof events.location, "%s%s%ld.events", folder, slash, pid);
  errno = ENAMETOOLONG;
  return len >= 0 && (size_t)len < sizeof events.location;
}

/* [stw] */
static bool file_begin(struct domain *d)
{
  if (events.map != NULL) return true;
  struct events_header header = layout();
  events.size = header.names_at + EVENTS_NAMES_MAX * sizeof(event_name);
  struct events_header *map = location_choose() ? map_file(events.location, events.size) : NULL;
  if (map == NULL) return false;
  *map = header;
  uint32_t names = load_relaxed(&events.name_count);
  for (uint32_t i = 0; i < names; i++) name_to_file(map, i);
  store_relaxed(&events.paused, 0);
  store_release(&events.map, map);
  events_tell(d, EVENT_RING_START, (int64_t)getpid());
  gc_trace(&tracer);
  return true;
}

/* [stw] */
static void file_end(bool keep_file)
{
  struct events_header *map = events.map;
  if (map == NULL) return;
  store_release(&events.map, NULL);
  munmap(map, events.size);
  if (!keep_file) unlink(events.location);
}

struct start { bool failed; int error; };

static void start_leader(struct domain *d, void *arg)
{
  struct start *start = arg;
  start->failed = !file_begin(d);
  start->error = errno;
}

bool events_start(struct domain *d)
{
  struct start start = {false, 0};
  while (events_map() == NULL && !start.failed) stw_run(d, start_leader, &start);
  errno = start.error;
  return !start.failed;
}

static void stop_leader(struct domain *d, void *arg)
{
  (void)d;
  file_end(*(bool *)arg);
}

void events_stop(struct domain *d, bool keep_file)
{
  if (events_map() == NULL) return;
  write_message(d, false, EVENT_LIFECYCLE, EVENT_RING_STOP, NULL, 0);
  while (events_map() != NULL) stw_run(d, stop_leader, &keep_file);
}

bool events_after_fork(struct domain *d)
{
  if (events_map() == NULL) return true;
  file_end(true);
  return events_start(d);
}

static void set_paused(struct domain *d, uint32_t to)
{
  uint32_t from = !to;
  if (events_map() == NULL) return;
  if (cas_seq(&events.paused, &from, to)) events_tell(d, to ? EVENT_RING_PAUSE : EVENT_RING_RESUME, 0);
}

void events_pause(struct domain *d) { set_paused(d, 1); }
void events_resume(struct domain *d) { set_paused(d, 0); }

bool events_location(char to[EVENTS_LOCATION_BYTES])
{
  memcpy(to, events.location, sizeof events.location);
  return events_map() != NULL;
}
