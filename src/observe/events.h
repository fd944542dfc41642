/* SPDX-License-Identifier: MIT */
/* The event rings: what the runtime and the program tell about themselves, in a file that
 * other processes read while the program runs (the library runtime_events, olly).
 *
 * FILE. All offsets are in its header; numbers are 64-bit words of the machine.
 *
 *   header     struct events_header
 *   positions  for each domain slot a struct ring_header: the first and the one past the last word that
 *              are valid, counted from the start of time in 64 bits; and how many events have been overwritten. What a
 *              reader misses is thus known in both units: in words by the positions (the library Runtime_events), in events by
 *              the third figure, less the events before that position that it has read
 *   rings      for each slot a ring of a power of two words
 *   names      of the program's events: 128 bytes each, by number
 *
 * A message is a word of header, a time stamp in nanoseconds and up to 1021 words of data. It
 * does not wrap around the ring's end: padding (a header alone) fills up what
 * is left. Old messages are overwritten; a reader finds out by looking at the first position
 * again after it has copied one. The layout is that of the public
 * <caml/runtime_events.h>, version 1.
 *
 * CONCURRENCY. A ring is written by the thread that has the domain of its slot, RUNNING or taking part
 * in a stop of the world. The file is mapped and unmapped with the world stopped. */
#ifndef BAC_OBSERVE_EVENTS_H
#define BAC_OBSERVE_EVENTS_H

#include "domain/domain.h"

enum {
  EVENTS_NAME_BYTES = 128,
  EVENTS_LOCATION_BYTES = 1024,
  EVENTS_NAMES_MAX = 1 << 13,
  EVENTS_DATA_WORDS_MAX = (1 << 10) - 3,
};

/* Message types: of the runtime, and of the program. */
enum { EVENT_PADDING, EVENT_LIFECYCLE, EVENT_BEGIN, EVENT_END, EVENT_COUNTER };
enum { EVENT_USER_UNIT, EVENT_USER_INT, EVENT_USER_SPAN_BEGIN, EVENT_USER_SPAN_END, EVENT_USER_CUSTOM };

enum events_lifecycle {
  EVENT_RING_START, EVENT_RING_STOP, EVENT_RING_PAUSE, EVENT_RING_RESUME,
  EVENT_FORK_PARENT, EVENT_FORK_CHILD, EVENT_DOMAIN_SPAWN, EVENT_DOMAIN_TERMINATE,
};

/* Where the file goes (NULL: the current folder) and how large a ring is. Once,
 * before the first start. */
void events_configure(const char *folder, unsigned log2_ring_words);

/* Creates the file and begins writing; nothing if it was begun. False: there is no such file, errno says
 * why. [mutator] [may gc] */
bool events_start(struct domain *d);
/* The last event is written, the file is closed, and removed unless it is to be kept. [mutator] [may gc] */
void events_stop(struct domain *d, bool keep_file);
/* In the child of a fork: the parent's file is let go and a new one begun. */
bool events_after_fork(struct domain *d);

void events_pause(struct domain *d);
void events_resume(struct domain *d);
bool events_is_on(void);            /* begun and not paused */
/* Copies the name of the file, or of the last one that there was or should have been; false: there is none now. */
bool events_location(char to[EVENTS_LOCATION_BYTES]);

/* For the domain of the calling thread. Nothing while they are off. [no gc] */
void events_begin(struct domain *d, unsigned phase);
void events_end(struct domain *d, unsigned phase);
void events_counter(struct domain *d, unsigned counter, uint64_t n);
void events_tell(struct domain *d, enum events_lifecycle what, int64_t data);

/* The program's events. register answers the number of the name (shorter than EVENTS_NAME_BYTES), -1: there are
 * too many. words <= EVENTS_DATA_WORDS_MAX. [no gc] */
int events_register(const char *name);
void events_free_names(void);                       /* nobody calls register any more */
void events_user(struct domain *d, int number, unsigned type, const uint64_t *data, size_t words);

#endif
