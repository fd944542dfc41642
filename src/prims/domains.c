/* SPDX-License-Identifier: MIT */
/* Domain.spawn and the other primitives of Domain, and what C code may ask
 * about domains.
 *
 * A domain's life: the parent enters it in the table (gc_domain_create) and
 * starts its thread; the thread takes it over, runs the function, stores the
 * result in the record that the parent gave it, and ends the domain. Whoever joins
 * waits on that record's mutex and condition. The thread keeps the mutex until
 * the domain is gone, so that after a join its slot is free and its counters are adopted.
 *
 * State: hooks of the thread library, set before the first spawn; the number of
 * running domains, which the ABI exports. */
#include "abi/runtime.h"
#include "observe/events.h"
#include "os/os.h"
#include "prims/io.h"
#include "prims/sync.h"
#include "sync/atomic.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void no_hook(void) {}

/* Run by a new domain's thread before its function, by its thread after it, and
 * by the child of a fork. */
CAMLexport void (*caml_domain_initialize_hook)(void) = no_hook;
CAMLexport void (*caml_domain_stop_hook)(void) = no_hook;
CAMLexport void (*caml_atfork_hook)(void) = no_hook;
/* Exported by <caml/misc.h>: run after the stop hook, by a domain that still has its state; may be NULL. */
CAMLexport void (*caml_domain_terminated_hook)(void);

CAMLexport uintnat caml_num_domains_running = 1;   /* [atomic] */

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* ---- Forks, once there may be several domains ---- */

static struct domain *running_self(void)
{
  struct domain *d = domain_self();
  return d && load_relaxed(&d->state) == DOMAIN_RUNNING ? d : NULL;
}
static void fork_prepare(void)
{
  struct domain *d = running_self();
  if (d) domains_before_fork(d);
}
static void fork_in_parent(void)
{
  struct domain *d = running_self();
  if (d) domains_after_fork_parent(d);
}
static void fork_in_child(void)
{
  struct domain *d = running_self();
  if (d) gc_after_fork_child(d);
  channels_after_fork_child();
  store_seq(&caml_num_domains_running, 1);
}
static void fork_handlers_install(void)
{
  pthread_atfork(fork_prepare, fork_in_parent, fork_in_child);
}

/* ---- The record that a spawn leaves its result in: stdlib/domain.ml, term_sync ---- */

enum { TERM_STATE, TERM_MUTEX, TERM_CONDITION };
enum { RESULT_OK_TAG, RESULT_ERROR_TAG, STATE_FINISHED_TAG = 0 };

value caml_ml_condition_broadcast(value condition);

/* Returns with the mutex locked. */
static struct sync_mutex *result_announce(value term_sync, value encoded)
{
  LOCAL_ROOTS(&term_sync);
  bool failed = Is_exception_result(encoded);
  value outcome = failed ? caml_alloc_1(RESULT_ERROR_TAG, Extract_exception(encoded))
                         : caml_alloc_1(RESULT_OK_TAG, encoded);
  value finished = caml_alloc_1(STATE_FINISHED_TAG, outcome);
  LOCAL_ROOTS(&finished);
  struct sync_mutex *m = sync_mutex_hold(Field(term_sync, TERM_MUTEX));
  Store_field(term_sync, TERM_STATE, finished);
  caml_ml_condition_broadcast(Field(term_sync, TERM_CONDITION));
  return m;
}

/* ---- Spawn ---- */

/* Passes from the parent to the new thread, which frees it. */
struct spawn {
  struct domain *domain;
  value function, term_sync;    /* generational global roots */
  sigset_t signals;             /* the parent's mask */
};

static struct spawn *spawn_new(value function, value term_sync)
{
  struct spawn *s = caml_stat_alloc(sizeof *s);
  s->function = function;
  s->term_sync = term_sync;
  gc_root_add_generational(&s->function);
  gc_root_add_generational(&s->term_sync);
  pthread_sigmask(SIG_BLOCK, NULL, &s->signals);
  return s;
}

static void spawn_free(struct spawn *s)
{
  gc_root_remove_generational(&s->function);
  gc_root_remove_generational(&s->term_sync);
  caml_stat_free(s);
}

static void domain_end(struct domain *d)
{
  events_tell(d, EVENT_DOMAIN_TERMINATE, getpid());
  signals_leave(d);
  gc_domain_terminate(d);
  state_set_self(NULL);
  sub_seq(&caml_num_domains_running, 1);
}

static struct sync_mutex *spawned_function_run(struct spawn *s)
{
  value function = s->function, term_sync = s->term_sync;
  spawn_free(s);
  LOCAL_ROOTS(&term_sync);
  value encoded = caml_callback_exn(function, Val_unit);
  return result_announce(term_sync, encoded);
}

static void domain_thread(void *arg)
{
  struct spawn *s = arg;
  struct domain *d = s->domain;
  state_set_self(d);
  domain_leave_blocking(d);
  pthread_sigmask(SIG_SETMASK, &s->signals, NULL);
  caml_domain_initialize_hook();
  events_tell(d, EVENT_DOMAIN_SPAWN, getpid());
  struct sync_mutex *m = spawned_function_run(s);
  caml_domain_stop_hook();
  void (*terminated)(void) = load_seq(&caml_domain_terminated_hook);
  if (terminated) terminated();
  domain_end(d);
  sync_mutex_let_go(m);
}

/* The parent ends a domain that got no thread, in that domain's place. */
static void domain_abandon(struct domain *d)
{
  struct domain *parent = domain_self();
  domain_enter_blocking(parent);
  state_set_self(d);
  domain_leave_blocking(d);
  domain_end(d);
  state_set_self(parent);
  domain_leave_blocking(parent);
}

CAMLprim value caml_domain_spawn(value function, value term_sync)
{
  if (caml_debugger_in_use) caml_fatal_error("ocamldebug does not support spawning multiple domains");
  pthread_once(&fork_once, fork_handlers_install);
  struct spawn *s = spawn_new(function, term_sync);
  struct domain *d = s->domain = gc_domain_create(domain_self());
  if (d == NULL) {
    spawn_free(s);
    caml_failwith("failed to allocate domain");
  }
  add_seq(&caml_num_domains_running, 1);
  value id = Val_long(d->id);
  int error, attempts = 0;
  while ((error = os_thread_start(domain_thread, s)) != 0 && thread_room_awaited(error, attempts)) attempts++;
  if (error != 0) {
    domain_abandon(d);
    spawn_free(s);
    caml_failwith("failed to create domain thread");
  }
  return id;
}

/* ---- Who and how many ---- */

CAMLprim value caml_ml_domain_id(value unit) { return Val_long(domain_self()->id); }
CAMLprim value caml_ml_domain_index(value unit) { return Val_int(domain_self()->slot); }

CAMLprim value caml_recommended_domain_count(value unit)
{
  int cores = (int)os_cores();
  return Val_int(cores < bac_domains.limit ? cores : bac_domains.limit);
}

/* Has a second domain ever been? */
CAMLexport intnat caml_domain_is_multicore(void) { return load_relaxed(&bac_domains.next_id) > 1; }

/* For loops that wait for another domain. Where there are more domains than
 * cores, that one may not be running because this one is. */
CAMLprim value caml_ml_domain_cpu_relax(value unit)
{
  static unsigned cores;    /* [atomic] 0: not asked yet */
  struct domain *self = domain_self();
  if (domain_has_interrupts(self)) return caml_process_pending_actions_with_root(unit);
  if (load_relaxed(&cores) == 0) store_relaxed(&cores, os_cores());
  if (load_relaxed(&bac_domains.count) > (int)load_relaxed(&cores))
    domain_yield(self);
  else
    os_relax();
  return Val_unit;
}

/* ---- Domain-local storage: one value, which the library indexes ---- */

CAMLprim value caml_domain_dls_get(value unit) { return Caml_state->dls_root; }

CAMLprim value caml_domain_dls_set(value v)
{
  bool waited = actions_must_wait();
  Caml_state->dls_root = v;
  if (waited) caml_set_action_pending(Caml_state);
  return Val_unit;
}

/* Threads of one domain take turns: nobody comes between. */
CAMLprim value caml_domain_dls_compare_and_set(value expected, value v)
{
  if (Caml_state->dls_root != expected) return Val_false;
  Caml_state->dls_root = v;
  return Val_true;
}
