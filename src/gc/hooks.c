/* SPDX-License-Identifier: MIT */
/* Who watches the collector: see hooks.h. The two pointers are the state; they are set with the
 * world stopped. */
#include "gc/hooks.h"

const struct gc_observer *bac_gc_observer;
const struct gc_tracer *bac_gc_tracer;

void gc_observe(const struct gc_observer *observer) { store_release(&bac_gc_observer, observer); }
void gc_trace(const struct gc_tracer *tracer) { store_release(&bac_gc_tracer, tracer); }
