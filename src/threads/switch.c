/* SPDX-License-Identifier: MIT */
/* How a domain goes from one of its threads to another: see threads.h for the rules.
 *
 * Giving it up: BLOCKED, then the lock. Taking it: the lock, then RUNNING, which waits if the world is stopped; then the
 * state, if another thread has been active meanwhile.
 *
 * State: the thread's own place, thread-local. */
#include "threads/threads.h"

#include "prims/memprof.h"
#include "sync/atomic.h"

void caml_memprof_enter_thread(struct memprof_thread *thread);

__thread struct thread *thread_self_ __attribute__((tls_model("initial-exec")));

static caml_domain_state *state_of(const struct ring *r) { return (caml_domain_state *)r->domain->window; }

/* ---- The domain's state ---- */

static void state_save(const caml_domain_state *st, struct thread_saved *to)
{
  *to = (struct thread_saved){
      .current_stack = st->current_stack,
      .c_stack = st->c_stack,
      .exn_handler = st->exn_handler,
      .gc_regs = st->gc_regs,
      .local_roots = st->local_roots,
      .external_raise = st->external_raise,
      .backtrace_pos = st->backtrace_pos,
      .backtrace_buffer = st->backtrace_buffer,
      .backtrace_last_exn = st->backtrace_last_exn,
  };
}

static void state_load(caml_domain_state *st, const struct thread_saved *from)
{
  st->current_stack = from->current_stack;
  st->c_stack = from->c_stack;
  st->exn_handler = from->exn_handler;
  st->gc_regs = from->gc_regs;
  st->local_roots = from->local_roots;
  st->external_raise = from->external_raise;
  st->backtrace_pos = from->backtrace_pos;
  st->backtrace_buffer = from->backtrace_buffer;
  st->backtrace_last_exn = from->backtrace_last_exn;
}

void ring_activate(struct ring *r, struct thread *t)
{
  if (r->active == t) return;
  if (r->active) state_save(state_of(r), &r->active->saved);
  state_load(state_of(r), &t->saved);
  r->active = t;
  caml_memprof_enter_thread(t->memprof);
}

void ring_deactivate(struct ring *r)
{
  state_load(state_of(r), &(struct thread_saved){.backtrace_last_exn = Val_unit});
  r->active = NULL;
}

/* ---- Giving it up and taking it ---- */

static void ring_resume(struct ring *r)
{
  state_take(r->domain);
  domain_leave_blocking(r->domain);
}

static void ring_pause(struct ring *r)
{
  domain_enter_blocking(r->domain);
  state_take(NULL);
}

void ring_enter(struct ring *r, struct master_place *mine)
{
  master_acquire(&r->master, mine);
  ring_resume(r);
}

void ring_exit(struct ring *r)
{
  ring_pause(r);
  master_release(&r->master);
}

void thread_take_domain(struct thread *t)
{
  ring_enter(t->ring, &t->place);
  ring_activate(t->ring, t);
}

void thread_leave_domain(struct thread *t) { ring_exit(t->ring); }

/* A signal that the thread before blocked may be for this one. */
void thread_yield(void)
{
  struct thread *t = thread_self();
  if (!t || !master_has_waiters(&t->ring->master)) return;
  ring_pause(t->ring);
  master_hand_over(&t->ring->master, &t->place);
  ring_resume(t->ring);
  ring_activate(t->ring, t);
  if (signals_deliverable()) domain_request(t->ring->domain, DOMAIN_WANT_ACTIONS);
}

/* ---- Hooks ---- */

/* The first thread of a domain that is just beginning or ending is in no ring. */
void thread_enter_blocking(void)
{
  struct thread *t = thread_self();
  if (t) thread_leave_domain(t);
  else domain_enter_blocking(domain_self());
}

void thread_leave_blocking(void)
{
  struct thread *t = thread_self();
  if (t) thread_take_domain(t);
  else domain_leave_blocking(domain_self());
}

void thread_interrupted(void)
{
  struct thread *t = thread_self();
  if (t && load_relaxed(&t->ring->ticked) && exchange_seq(&t->ring->ticked, 0)) thread_yield();
}

void threads_scan(struct domain *d, struct root_visitor *v)
{
  struct ring *r = ring_of(d->slot);
  if (!r) return;
  for (struct thread *t = r->first; t; t = t->next) {
    v->visit(v, &t->descr, 1);
    if (t == r->active) continue;
    backend_stack_scan(t->saved.current_stack, t->saved.gc_regs, v);
    state_scan_local_roots(t->saved.local_roots, v);
    v->visit(v, &t->saved.backtrace_last_exn, 1);
  }
}
