/* SPDX-License-Identifier: MIT */
/* The parameter window_size: a slice's work is spread over that slice and the next ones, so that a burst of
 * allocation makes no long pause. What is owed is pacing.c's to say.
 *
 * The ring holds what this slice and each of the next size - 1 were given to do. What is owed now contains all of it that is
 * not done yet: only the difference is new, and is given to all of them in equal parts. Work that stays owed
 * is so done within [size] slices; a window of 1 puts nothing off.
 *
 * State: struct work_window of each domain, its own. Tests: tests/gc/control_window*.ml. */
#include "gc/state.h"

size_t window_spread(struct work_window *w, enum gc_phase phase, size_t window, size_t owed)
{
  if (w->size != window || w->phase != phase) *w = (struct work_window){.phase = phase, .size = window};
  if (window == 1) return owed;
  size_t put_off = 0;
  for (size_t i = 0; i < window; i++) put_off += w->due[i];
  if (owed > put_off) {
    size_t part = div_up(owed - put_off, window);
    for (size_t i = 0; i < window; i++) w->due[i] += part;
  }
  size_t work = w->due[w->at];
  w->due[w->at] = 0;
  w->at = (w->at + 1) % window;
  return min_size(work, owed);
}
