/* SPDX-License-Identifier: MIT */
/* Threads of one domain: what the files of this room tell each other.
 *
 * A domain that has more than its first thread belongs to one of them at a time: the one that holds the domain's master
 * lock. The others are in blocking sections, or wait for the lock; to them there is no
 * domain (domain_self and Caml_state are NULL).
 *
 *   THREAD-1  A domain is RUNNING only while one of its threads holds the master lock. (Its holder may be BLOCKED: where the
 *             domain waits for the world lock, say. Then no other thread has it either.)
 *   THREAD-2  Caml_state holds the state of the ring's [active] thread, also while that is in a blocking section; the
 *             other threads' is in their [saved]. So a thread that comes back as the one that left has nothing to restore.
 *
 * Design page: docs/design/threads.md. Tests: tests/threads. */
#ifndef BAC_THREADS_THREADS_H
#define BAC_THREADS_THREADS_H

#include "abi/runtime.h"
#include "threads/master.h"

#include <signal.h>

struct memprof_thread;

/* The part of the domain's state that belongs to a thread. A zeroed one (backtrace_last_exn: unit) is nobody's. */
struct thread_saved {
  struct stack_info *current_stack;
  struct c_stack_link *c_stack;
  void *exn_handler;
  value *gc_regs;
  struct caml__roots_block *local_roots;
  struct exception_context *external_raise;
  intnat backtrace_pos;
  void **backtrace_buffer;
  value backtrace_last_exn;
};

struct thread {
  struct ring *ring;              /* [const] */
  struct thread *next, *prev;     /* [own: the domain's] */
  value descr;                    /* root: the Thread.t */
  struct thread_saved saved;      /* roots; see THREAD-2 */
  struct memprof_thread *memprof; /* [const] */
  struct master_place place;
  sigset_t signals;               /* [const] the mask that it begins with */
};

/* The threads of one domain. */
struct ring {
  struct domain *domain;          /* [const] */
  struct master master;
  struct thread *first;           /* [own: the domain's] */
  struct thread *active;          /* [own: the domain's] NULL: the last one has ended */
  uint32_t count;                 /* [atomic: relaxed] threads */
  uint32_t ticked;                /* [atomic: relaxed] whoever runs is to hand over */
};

/* The calling thread, or NULL: it has no place in a ring. */
extern __thread struct thread *thread_self_ __attribute__((tls_model("initial-exec")));
static inline struct thread *thread_self(void) { return thread_self_; }

/* ---- Who has the domain (switch.c) ---- */

/* For a thread that is in its ring. [may gc: the domain may be stopped and changed meanwhile] */
void thread_take_domain(struct thread *t);
void thread_leave_domain(struct thread *t);
/* The calling thread has the lock but not the state: for one that is not in the ring yet. */
void ring_enter(struct ring *r, struct master_place *mine);
void ring_exit(struct ring *r);
/* Makes t the active one. The domain is the caller's. */
void ring_activate(struct ring *r, struct thread *t);
/* The active one ends: the domain's state is nobody's. */
void ring_deactivate(struct ring *r);
/* Lets others run that wait. [may gc] */
void thread_yield(void);
/* Hooks: of blocking sections, of the domain's actions, of the collector. */
void thread_enter_blocking(void);
void thread_leave_blocking(void);
void thread_interrupted(void);
void threads_scan(struct domain *d, struct root_visitor *v);

/* ---- Rings and the tick (tick.c) ---- */

/* The ring of a domain; NULL: the library is not initialised there. Own domain, or [stw]; slot 0: anybody. */
struct ring *ring_of(int slot);
void ring_publish(struct ring *r);
/* Before the ring is freed. */
void ring_withdraw(struct ring *r);
/* Sees to it that there is a tick. 0 or an errno value. It ends by itself when no ring has a second thread. */
int tick_start(void);
/* Waits for its end. */
void tick_stop(void);
void tick_after_fork_child(void);

/* ---- Their values (descr.c) ---- */

enum { DESCR_ID, DESCR_CLOSURE, DESCR_ENDED, DESCR_FIELDS };
/* [may gc] [raises] */
value descr_new(value closure);
void descr_tell_end(value descr);
/* Waits for it. With [actions] what is pending is run before: [may run OCaml] [raises] */
void descr_await_end(value descr, bool actions);

#endif
