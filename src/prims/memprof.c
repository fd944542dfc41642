/* SPDX-License-Identifier: MIT */
/* Gc.Memprof: the primitives, and the running of callbacks. What is sampled
 * and what became of it is known by observe/memprof.c.
 *
 * Callbacks run among the pending actions of the thread that has the domain, and for
 * allocations by OCaml code before the block is made (memprof_nursery_alloc_exn).
 * While one runs, its thread is suspended: it samples nothing and runs no other.
 * After each callback all is looked at afresh by index: it may have collected,
 * stopped or started profiles, and other threads may have run. */
#include "prims/memprof.h"

#include "abi/backtrace.h"
#include "abi/runtime.h"

/* The fields of Gc.Memprof.tracker. */
enum callback { ALLOC_MINOR, ALLOC_MAJOR, PROMOTE, DEALLOC_MINOR, DEALLOC_MAJOR };

/* ---- One entry's callbacks ---- */

/* The entry's callstack, for the program; the entry has it no more. */
static value entry_take_callstack(struct memprof_domain *m, size_t i)
{
  struct memprof_entry *e = &m->entries.at[i];
  size_t n = e->frames;
  void **callstack = e->callstack;
  e->callstack = NULL;
  value slots = caml_alloc(n, 0);
  for (size_t k = 0; k < n; k++) caml_initialize(&Field(slots, k), Val_slot(callstack[k]));
  mem_free(callstack);
  return slots;
}

/* A Gc.Memprof.allocation. MEMPROF-3 */
static value allocation_record(struct memprof_domain *m, size_t i)
{
  value callstack = entry_take_callstack(m, i);
  LOCAL_ROOTS(&callstack);
  value record = caml_alloc_small(4, 0);
  struct memprof_entry *e = &m->entries.at[i];
  Field(record, 0) = Val_long(e->samples);
  Field(record, 1) = Val_long(e->words);
  Field(record, 2) = Val_int(e->source);
  Field(record, 3) = callstack;
  return record;
}

/* Calls one of the tracker's functions. What it answers is marked if it is an exception;
 * Val_none stands for a profile that was discarded meanwhile. */
static value entry_call(struct memprof_domain *m, size_t i, enum callback which, value argument)
{
  if (m->entries.at[i].state == ENTRY_DELETED) return Val_none;
  value tracker = load_acquire(&m->entries.at[i].profile->tracker);
  if (Is_long(tracker)) return Val_none;
  memprof_set_busy(m, i, true);
  value result = caml_callback_exn(Field(tracker, which), argument);
  memprof_set_busy(m, i, false);
  return result;
}

/* Allocation and promotion: goes on being tracked if the callback says so. */
static value entry_track(struct memprof_domain *m, size_t i, enum callback which, value argument)
{
  value result = entry_call(m, i, which, argument);
  if (Is_exception_result(result) || Is_none(result)) {
    memprof_delete(m, i);
    return result;
  }
  struct memprof_entry *e = &m->entries.at[i];
  if (e->state == ENTRY_DELETED) return Val_unit;
  e->state = ENTRY_TRACKED;
  memprof_set_user(m, i, Field(result, 0));
  return Val_unit;
}

static value entry_tell_birth(struct memprof_domain *m, size_t i)
{
  struct memprof_entry *e = &m->entries.at[i];
  if (!memprof_is_sampling(e->profile)) {
    memprof_delete(m, i);
    return Val_unit;
  }
  enum callback which = e->young ? ALLOC_MINOR : ALLOC_MAJOR;
  memprof_set_busy(m, i, true);
  value record = allocation_record(m, i);
  return entry_track(m, i, which, record);
}

static value entry_tell_promotion(struct memprof_domain *m, size_t i)
{
  m->entries.at[i].promotion_told = true;
  return entry_track(m, i, PROMOTE, m->entries.at[i].user);
}

static value entry_tell_death(struct memprof_domain *m, size_t i)
{
  struct memprof_entry *e = &m->entries.at[i];
  value result = entry_call(m, i, e->young && !e->promoted ? DEALLOC_MINOR : DEALLOC_MAJOR, e->user);
  memprof_delete(m, i);
  return result;
}

/* Whatever is due for the entry, in the order in which it happened. */
static value entry_run(struct memprof_domain *m, size_t i)
{
  struct memprof_entry *e = &m->entries.at[i];
  value result;
  if (load_acquire(&e->profile->status) == MEMPROF_DISCARDED) {
    memprof_delete(m, i);
    return Val_unit;
  }
  if (e->state == ENTRY_BORN) result = entry_tell_birth(m, i);
  else if (e->promoted && !e->promotion_told) result = entry_tell_promotion(m, i);
  else result = entry_tell_death(m, i);
  return Is_exception_result(result) ? result : Val_unit;
}

/* ---- All that is due ---- */

static void run_begin(struct domain *d, struct memprof_domain *m)
{
  m->running++;
  memprof_suspend(d, true);
}

static void run_end(struct domain *d, struct memprof_domain *m)
{
  m->running--;
  memprof_tidy(m);
  memprof_suspend(d, false);
}

static value memprof_run_exn(void)
{
  struct domain *d = domain_self();
  struct memprof_domain *m = memprof_of(d);
  size_t i;
  if (m == NULL || m->thread->suspended || !memprof_next_pending(m, &i)) return Val_unit;
  value result = Val_unit;
  run_begin(d, m);
  while (!Is_exception_result(result) && memprof_next_pending(m, &i)) result = entry_run(m, i);
  run_end(d, m);
  return result;
}

/* The entry is made before the block, so that its callback may collect and raise. What collects to find room for the words does
 * so before they are tried: the nursery's end draws a new point, and they are tried once. */
value memprof_nursery_alloc_exn(struct domain *d, size_t whsize)
{
  gc_nursery_reserve(d, whsize);
  size_t samples = memprof_next_samples(d, whsize);
  if (samples == 0) {
    d->window->young_ptr -= whsize;
    return Val_unit;
  }
  struct memprof_domain *m = memprof_of(d);
  size_t i = m->entries.len;
  memprof_enter(d, 0, true, whsize - 1, samples, MEMPROF_NORMAL);
  run_begin(d, m);
  value result = entry_run(m, i);
  if (!Is_exception_result(result)) {
    gc_nursery_alloc(d, whsize);
    if (m->entries.at[i].state == ENTRY_TRACKED) memprof_set_block(m, i, Val_hp(d->window->young_ptr));
  }
  run_end(d, m);
  return result;
}

/* Enters those of the blocks that are sampled, in places one after the other; which[] says which they are. */
static size_t group_enter(struct domain *d, const struct memprof_block *blocks, size_t count, uint8_t *which)
{
  value *top = d->window->young_ptr;
  size_t entered = 0;
  for (size_t i = 0; i < count; i++) {
    size_t samples = memprof_next_samples(d, blocks[i].whsize);
    d->window->young_ptr -= blocks[i].whsize;
    if (samples == 0) continue;
    memprof_enter(d, 0, true, blocks[i].whsize - 1, samples, MEMPROF_NORMAL);
    struct memprof_domain *m = memprof_of(d);
    struct memprof_entry *e = &m->entries.at[m->entries.len - 1];
    if (e->frames > 0 && blocks[i].site) e->callstack[0] = blocks[i].site;
    which[entered++] = (uint8_t)i;
  }
  d->window->young_ptr = top;
  return entered;
}

/* The blocks lie below [top]; NULL: they were not made, and those that a callback knows are dead. */
static void group_settle(struct domain *d, size_t first, const struct memprof_block *blocks, const uint8_t *which,
                         size_t entered, value *top)
{
  struct memprof_domain *m = memprof_of(d);
  value *hp = top;
  for (size_t k = 0, i = 0; k < entered; k++) {
    uint8_t state = m->entries.at[first + k].state;
    if (!top) {
      if (state == ENTRY_BORN) memprof_delete(m, first + k);
      if (state == ENTRY_TRACKED) memprof_lose_block(m, first + k);
      continue;
    }
    for (; i <= which[k]; i++) hp -= blocks[i].whsize;
    if (state == ENTRY_TRACKED) memprof_set_block(m, first + k, Val_hp(hp));
  }
}

value memprof_nursery_group_exn(struct domain *d, const struct memprof_block *blocks, size_t count)
{
  uint8_t which[MEMPROF_GROUP_MOST];
  size_t total = 0;
  for (size_t i = 0; i < count; i++) total += blocks[i].whsize;
  gc_nursery_reserve(d, total);
  struct memprof_domain *m = memprof_of(d);
  size_t first = m ? m->entries.len : 0, entered = m ? group_enter(d, blocks, count, which) : 0;
  if (entered == 0) {
    d->window->young_ptr -= total;
    return Val_unit;
  }
  value result = Val_unit;
  run_begin(d, m);
  for (size_t k = 0; k < entered && !Is_exception_result(result); k++) result = entry_run(m, first + k);
  if (!Is_exception_result(result)) gc_nursery_alloc(d, total);
  group_settle(d, first, blocks, which, entered, Is_exception_result(result) ? NULL : d->window->young_ptr + total);
  run_end(d, m);
  if (Is_exception_result(result)) domain_request(d, DOMAIN_WANT_ACTIONS);
  return result;
}

/* ---- Profiles ---- */

#define Profile_val(v) (*(struct memprof_profile **)Data_custom_val(v))

static void profile_finalise(value v)
{
  if (Profile_val(v)) memprof_release(Profile_val(v));
}

static const struct custom_operations profile_ops = {.identifier = "_memprof", .finalize = profile_finalise};

static void watch_stw(struct domain *d, void *arg)
{
  if (gc_observer() != NULL) return;
  actions_set_memprof(memprof_run_exn);
  memprof_watch(backend_callstack);
}

CAMLprim value caml_memprof_start(value rate, value frames, value tracker)
{
  struct domain *d = domain_self();
  LOCAL_ROOTS(&tracker);
  double samples_per_word = Double_val(rate);
  if (Long_val(frames) < 0 || !(samples_per_word >= 0 && samples_per_word <= 1))
    caml_invalid_argument("Gc.Memprof.start");
  while (gc_observer() == NULL) stw_run(d, watch_stw, NULL);
  struct memprof_domain *m = memprof_domain(d);
  if (memprof_is_sampling(m->profile)) caml_failwith("Gc.Memprof.start: already started.");
  value handle = caml_alloc_custom(&profile_ops, sizeof(struct memprof_profile *), 0, 1);
  Profile_val(handle) = NULL;
  struct memprof_profile *p = memprof_profile_new(samples_per_word, (size_t)Long_val(frames), tracker);
  if (p == NULL) caml_raise_out_of_memory();
  Profile_val(handle) = p;
  memprof_end(d);
  memprof_begin(d, p);
  return handle;
}

/* What was allocated before is told before. */
CAMLprim value caml_memprof_stop(value unit)
{
  value told = memprof_run_exn();
  if (Is_exception_result(told)) caml_raise(Extract_exception(told));
  struct domain *d = domain_self();
  struct memprof_domain *m = memprof_of(d);
  uint32_t sampling = MEMPROF_SAMPLING;
  if (m == NULL || m->profile == NULL || !cas_seq(&m->profile->status, &sampling, MEMPROF_STOPPED))
    caml_failwith("Gc.Memprof.stop: no profile running.");
  memprof_end(d);
  return Val_unit;
}

CAMLprim value caml_memprof_discard(value handle)
{
  struct memprof_profile *p = Profile_val(handle);
  uint32_t status = MEMPROF_STOPPED;
  if (!cas_seq(&p->status, &status, MEMPROF_DISCARDED))
    caml_failwith(status == MEMPROF_SAMPLING ? "Gc.Memprof.discard: profile not stopped."
                                             : "Gc.Memprof.discard: profile already discarded.");
  gc_root_modify_generational(&p->tracker, Val_unit);
  return Val_unit;
}

/* ---- Threads of a domain: what the thread library calls ---- */

CAMLexport struct memprof_thread *caml_memprof_main_thread(caml_domain_state *state)
{
  return &memprof_domain(state->domain)->main;
}

CAMLexport struct memprof_thread *caml_memprof_new_thread(caml_domain_state *state)
{
  memprof_domain(state->domain);
  return mem_calloc(1, sizeof(struct memprof_thread));
}

CAMLexport void caml_memprof_enter_thread(struct memprof_thread *thread) { memprof_switch(domain_self(), thread); }

CAMLexport void caml_memprof_delete_thread(struct memprof_thread *thread)
{
  struct domain *d = domain_self();
  struct memprof_domain *m = memprof_domain(d);
  memprof_forget_thread(d, thread);
  if (m->thread == thread) memprof_switch(d, &m->main);
  if (thread != &m->main) mem_free(thread);
}
