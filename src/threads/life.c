/* SPDX-License-Identifier: MIT */
/* The life of threads: those that a program creates, the first one of each domain, those of C code that registers
 * itself; what becomes of them when their domain ends and when the process forks.
 *
 * State: whether the library is initialised [const after that]; the rings are in tick.c. */
#include "threads/threads.h"

#include "prims/io.h"
#include "prims/memprof.h"
#include "prims/sync.h"
#include "prims/sys.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <errno.h>
#include <stdlib.h>

struct memprof_thread *caml_memprof_main_thread(caml_domain_state *state);
struct memprof_thread *caml_memprof_new_thread(caml_domain_state *state);
void caml_memprof_enter_thread(struct memprof_thread *thread);
void caml_memprof_delete_thread(struct memprof_thread *thread);

static bool initialised;

/* ---- Rings ---- */

static void ring_link(struct ring *r, struct thread *t)
{
  t->ring = r;
  t->prev = NULL;
  t->next = r->first;
  if (t->next) t->next->prev = t;
  r->first = t;
  store_relaxed(&r->count, r->count + 1);
}

static void ring_unlink(struct thread *t)
{
  struct ring *r = t->ring;
  if (t->next) t->next->prev = t->prev;
  *(t->prev ? &t->prev->next : &r->first) = t->next;
  store_relaxed(&r->count, r->count - 1);
}

/* The first thread of a domain, whose state is in place. */
static void ring_create(struct domain *d)
{
  struct ring *r = mem_calloc(1, sizeof *r);
  struct thread *t = mem_calloc(1, sizeof *t);
  if (!r || !t) bac_fatal("out of memory: no room for the domain's first thread");
  t->descr = Val_unit;
  t->memprof = caml_memprof_main_thread(Caml_state);
  t->saved.backtrace_last_exn = Val_unit;
  r->domain = d;
  master_init(&r->master);
  ring_link(r, t);
  r->active = thread_self_ = t;
  caml_memprof_enter_thread(t->memprof);
  ring_publish(r);
  t->descr = descr_new(Val_unit);
}

/* ---- Threads ---- */

/* In the ring, with a stack and no descriptor. NULL: no memory. [no gc] */
static struct thread *thread_add(struct ring *r)
{
  struct thread *t = mem_calloc(1, sizeof *t);
  if (!t) return NULL;
  t->descr = t->saved.backtrace_last_exn = Val_unit;
  t->saved.current_stack = backend_stack_new();
  t->memprof = t->saved.current_stack ? caml_memprof_new_thread(Caml_state) : NULL;
  if (!t->memprof) {
    backend_stack_free(t->saved.current_stack);
    mem_free(t);
    return NULL;
  }
  ring_link(r, t);
  return t;
}

/* It never ran, or never will again; it is not the active one. */
static void thread_remove(struct thread *t)
{
  ring_unlink(t);
  caml_memprof_delete_thread(t->memprof);
  backend_stack_free(t->saved.current_stack);
  free(t->saved.backtrace_buffer);
  mem_free(t);
}

/* The calling thread leaves its ring, and its domain. */
static void thread_end(struct thread *t)
{
  struct ring *r = t->ring;
  caml_domain_state *st = Caml_state;
  descr_tell_end(t->descr);
  t->saved.current_stack = st->current_stack;
  t->saved.backtrace_buffer = st->backtrace_buffer;
  ring_deactivate(r);
  thread_remove(t);
  thread_self_ = NULL;
  ring_exit(r);
}

/* The system goes on counting it among the process's threads for a while: once it was joined, no signal shall
 * come to it that all others block. */
static void signals_block_all(void)
{
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void thread_main(void *arg)
{
  struct thread *t = thread_self_ = arg;
  thread_take_domain(t);
  pthread_sigmask(SIG_SETMASK, &t->signals, NULL);
  if (signals_deliverable()) domain_request(t->ring->domain, DOMAIN_WANT_ACTIONS);
  value closure = Field(t->descr, DESCR_CLOSURE);
  caml_modify(&Field(t->descr, DESCR_CLOSURE), Val_unit);
  caml_callback_exn(closure, Val_unit);
  signals_block_all();
  thread_end(t);
}

/* 0 or an errno value. */
static int thread_launch(struct thread *t)
{
  int error = tick_start();
  return error ? error : os_thread_start(thread_main, t);
}

CAMLprim value caml_thread_new(value closure)
{
  if (caml_debugger_in_use) caml_fatal_error("ocamldebug does not support multithreaded programs");
  value descr = descr_new(closure);
  LOCAL_ROOTS(&descr);
  struct thread *t = thread_add(thread_self()->ring);
  if (!t) caml_raise_out_of_memory();
  t->descr = descr;
  pthread_sigmask(SIG_BLOCK, NULL, &t->signals);
  int error, attempts = 0;
  while ((error = thread_launch(t)) && thread_room_awaited(error, attempts)) attempts++;
  if (error) {
    thread_remove(t);
    sync_check_error(error, "Thread.create");
  }
  return descr;
}

/* ---- Threads that C code created ---- */

/* They belong to the first domain. */
CAMLexport int caml_c_thread_register(void)
{
  if (!initialised || thread_self()) return 0;
  struct ring *r = ring_of(0);
  struct master_place place;
  ring_enter(r, &place);
  struct thread *t = thread_add(r);
  if (!t || tick_start() != 0) {
    if (t) thread_remove(t);
    ring_exit(r);
    return 0;
  }
  thread_self_ = t;
  ring_activate(r, t);
  t->descr = descr_new(Val_unit);
  caml_enter_blocking_section_no_pending();
  return 1;
}

CAMLexport int caml_c_thread_unregister(void)
{
  if (!thread_self()) return 0;
  caml_leave_blocking_section();
  thread_end(thread_self());
  return 1;
}

/* ---- Domains ---- */

static void domain_begins(void) { ring_create(domain_self()); }

/* The threads of a domain end before it does. Nothing may be raised here. */
static void domain_ends(void)
{
  struct thread *self = thread_self();
  struct ring *r = self->ring;
  while (r->count > 1) {
    struct thread *other = r->first == self ? self->next : r->first;
    descr_await_end(other->descr, false);
  }
  descr_tell_end(self->descr);
  ring_withdraw(r);
  thread_self_ = NULL;
  mem_free(self);
  mem_free(r);
}

/* ---- Fork ---- */

/* Only the calling thread is left. The others' stacks hold nothing that anybody waits for. */
static void child_begins(void)
{
  struct thread *self = thread_self();
  channels_after_fork_child();
  tick_after_fork_child();
  if (!self) return;
  for (struct thread *t = self->ring->first, *next; t; t = next) {
    next = t->next;
    if (t != self) thread_remove(t);
  }
  master_init(&self->ring->master);
}

/* ---- The library ---- */

CAMLprim value caml_thread_initialize(value unit)
{
  if (initialised) return Val_unit;
  if (load_relaxed(&bac_domains.count) > 1)
    caml_failwith("caml_thread_initialize: cannot initialize Thread while several domains are running.");
  ring_create(domain_self());
  state_set_threads_scan(threads_scan);
  caml_enter_blocking_section_hook = thread_enter_blocking;
  caml_leave_blocking_section_hook = thread_leave_blocking;
  caml_domain_external_interrupt_hook = thread_interrupted;
  caml_domain_initialize_hook = domain_begins;
  caml_domain_stop_hook = domain_ends;
  caml_atfork_hook = child_begins;
  initialised = true;
  return Val_unit;
}

/* When the runtime is shut down: its code may be unloaded then. */
CAMLprim value caml_thread_cleanup(value unit)
{
  tick_stop();
  if (load_relaxed(&ring_of(domain_self()->slot)->count) > 1) sys_keep_memory();
  return Val_unit;
}
