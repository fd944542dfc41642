/* SPDX-License-Identifier: MIT */
/* Who watches the collector: see hooks.h. The two pointers are the state; they are set with the
 * world stopped. */
#include "gc/hooks.h"

const struct gc_observer *bac_gc_observer;
const struct gc_tracer *bac_gc_tracer;

void gc_observe(const struct gc_observer *observer) { store_release(&bac_gc_observer, observer); }

static void trace_section(struct domain *d, enum section_part part, bool begins)
{
  static const enum trace_phase phases[] = {
      [SECTION_LEADS] = TRACE_STW_LEADER, [SECTION_GATHERS] = TRACE_STW_GATHER, [SECTION_PARKED] = TRACE_STW_HANDLER};
  if (begins) trace_begin(d, phases[part]);
  else trace_end(d, phases[part]);
}

void gc_trace(const struct gc_tracer *tracer)
{
  store_release(&bac_gc_tracer, tracer);
  store_release(&bac_domains.section_told, tracer != NULL ? trace_section : NULL);
}
