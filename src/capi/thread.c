/* SPDX-License-Identifier: MIT */
/* Threads that are domains, and fork.
 *
 * A thread's record carries its argument to it and its result back, as global roots. Its states, in
 * [done]: 0 while the domain lives, 1 when it has ended (set by the thread, which touches the
 * record no more), upon which whoever joins frees it. Waking a word that is freed already is harmless: sleepers
 * look at their word again.
 *
 * State: whether the fork handlers are there. */
#include "capi/capi.h"

#include "os/os.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct bac_thread {
  struct domain *domain;
  bac_value (*run)(struct bac_domain *d, bac_value arg);
  value v;               /* generational global root: the argument, then the result */
  sigset_t signals;      /* the parent's mask */
  uint32_t done;         /* [atomic] */
};

static void thread_run(void *arg)
{
  struct bac_thread *t = arg;
  struct domain *d = t->domain;
  domain_set_self(d);
  domain_leave_blocking(d);
  pthread_sigmask(SIG_SETMASK, &t->signals, NULL);
  value argument = t->v;
  bac_root_modify(&t->v, Val_unit);
  bac_root_modify(&t->v, t->run(capi_domain(d), argument));
  gc_domain_terminate(d);
  store_release(&t->done, 1);
  os_wake(&t->done, 1);
}

/* A domain that got no thread ends on its parent's. */
static void domain_abandon(struct domain *parent, struct domain *d)
{
  domain_enter_blocking(parent);
  domain_set_self(d);
  domain_leave_blocking(d);
  gc_domain_terminate(d);
  domain_set_self(parent);
  domain_leave_blocking(parent);
}

static bool thread_start(struct domain *parent, struct bac_thread *t)
{
  t->domain = gc_domain_create(parent);
  if (t->domain == NULL) return false;
  if (os_thread_start(thread_run, t) == 0) return true;
  domain_abandon(parent, t->domain);
  return false;
}

static value thread_free(struct bac_thread *t)
{
  value v = t->v;
  gc_root_remove_generational(&t->v);
  free(t);
  return v;
}

struct bac_thread *bac_spawn(struct bac_domain *b, bac_value (*run)(struct bac_domain *d, bac_value arg), bac_value arg)
{
  struct domain *d = CAPI_ENTERED(b);
  struct bac_thread *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->run = run;
  t->v = arg;
  gc_root_add_generational(&t->v);
  pthread_sigmask(SIG_BLOCK, NULL, &t->signals);
  if (thread_start(d, t)) return t;
  thread_free(t);
  return NULL;
}

bac_value bac_join(struct bac_domain *b, struct bac_thread *t)
{
  bac_enter_blocking(b);
  while (load_acquire(&t->done) == 0) os_wait(&t->done, 0, 0);
  bac_leave_blocking(b);
  return thread_free(t);
}

uint64_t bac_domain_id(struct bac_domain *b) { return CAPI_ENTERED(b)->id; }

/* ---- Fork ---- */

static struct domain *running_self(void)
{
  struct domain *d = domain_self();
  return d != NULL && load_relaxed(&d->state) == DOMAIN_RUNNING ? d : NULL;
}

static void fork_prepare(void)
{
  struct domain *d = running_self();
  if (d != NULL) domains_before_fork(d);
}
static void fork_in_parent(void)
{
  struct domain *d = running_self();
  if (d != NULL) domains_after_fork_parent(d);
}
static void fork_in_child(void)
{
  struct domain *d = running_self();
  if (d != NULL) gc_after_fork_child(d);
}

void capi_install_fork_handlers(void) { pthread_atfork(fork_prepare, fork_in_parent, fork_in_child); }
