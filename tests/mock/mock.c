/* SPDX-License-Identifier: MIT */
/* The mock mutator: see mock.h. */
#include "mock/mock.h"

#include "os/os.h"
#include "sync/atomic.h"

#include <stdlib.h>

int64_t mock_stacks;

static bool mock_domain_init(struct domain *d)
{
  struct mock_state *s = mock_state(d);
  s->domain = d;
  for (int i = 0; i < MOCK_ROOTS; i++) s->root[i] = Val_unit;
  return true;
}

static void mock_domain_fini(struct domain *d) { (void)d; }

static void mock_scan_domain(struct domain *d, struct root_visitor *v)
{
  v->visit(v, mock_state(d)->root, MOCK_ROOTS);
}

static void mock_scan_process(struct root_visitor *v) { (void)v; }

static void mock_scan_continuation(value cont, struct root_visitor *v)
{
  struct mock_stack *s = mock_stack(cont);
  if (s != NULL) v->visit(v, s->slot, s->size);
}

static void mock_free_continuation(value cont)
{
  if (mock_stack(cont) == NULL) return;
  free(mock_stack(cont));
  sub_relaxed(&mock_stacks, 1);
}

/* The operations word is the counter's address, or Val_unit for none. */
static bool mock_custom_has_finaliser(value v) { return Field(v, 0) != Val_unit; }
static void mock_custom_finalise(value v) { add_relaxed((int64_t *)Field(v, 0), 1); }

const struct gc_client mock_client = {
    .state_size = sizeof(struct mock_state),
    .domain_init = mock_domain_init,
    .domain_fini = mock_domain_fini,
    .scan_domain = mock_scan_domain,
    .scan_process = mock_scan_process,
    .scan_continuation = mock_scan_continuation,
    .free_continuation = mock_free_continuation,
    .custom_has_finaliser = mock_custom_has_finaliser,
    .custom_finalise = mock_custom_finalise,
};

struct domain *mock_start(const struct gc_params *params)
{
  const char *why;
  struct domain *d = gc_init(params, &mock_client, &why);
  if (d == NULL) bac_fatal("%s", why);
  return d;
}

void mock_poll(struct domain *d)
{
  if (domain_has_interrupts(d)) gc_poll(d);
}

value mock_alloc(struct domain *d, mlsize_t size, tag_t tag)
{
  mock_poll(d);
  value v = gc_alloc(d, size, tag);
  if (v == 0) bac_fatal("mock: no memory for a block of %lu words", size);
  return v;
}

value mock_alloc_custom(struct domain *d, int64_t *counter, mlsize_t mem, mlsize_t max)
{
  mock_poll(d);
  value v = gc_alloc_custom(d, 2, counter != NULL, mem, max);
  if (v == 0) bac_fatal("mock: no memory for a custom block");
  Field(v, 0) = counter == NULL ? Val_unit : (value)counter;
  Field(v, 1) = Val_unit;
  return v;
}

value mock_alloc_continuation(struct domain *d, size_t size)
{
  struct mock_stack *s = malloc(sizeof *s + size * sizeof(value));
  if (s == NULL) bac_fatal("mock: no memory for a stack");
  s->size = size;
  for (size_t i = 0; i < size; i++) s->slot[i] = Val_unit;
  value v = mock_alloc(d, 2, Cont_tag);
  Field(v, 0) = Val_ptr(s);
  gc_note_continuation(d, v);
  add_relaxed(&mock_stacks, 1);
  return v;
}

static void mock_thread_run(void *arg)
{
  struct mock_thread *t = arg;
  struct domain *d = t->domain;
  domain_set_self(d);
  domain_leave_blocking(d);
  t->run(d, t->arg);
  gc_domain_terminate(d);
  store_release(&t->done, 1);
  os_wake(&t->done, 1);
}

/* A domain that no thread has adopted ends on its parent's thread. */
static void mock_abandon(struct domain *parent, struct domain *d)
{
  domain_enter_blocking(parent);
  domain_set_self(d);
  domain_leave_blocking(d);
  gc_domain_terminate(d);
  domain_set_self(parent);
  domain_leave_blocking(parent);
}

bool mock_spawn(struct domain *parent, struct mock_thread *t, void (*run)(struct domain *, void *), void *arg)
{
  *t = (struct mock_thread){run, arg, gc_domain_create(parent), 0};
  if (t->domain == NULL) return false;
  if (os_thread_start(mock_thread_run, t) == 0) return true;
  mock_abandon(parent, t->domain);
  return false;
}

void mock_join(struct domain *d, struct mock_thread *t)
{
  domain_enter_blocking(d);
  while (load_acquire(&t->done) == 0) os_wait(&t->done, 0, 0);
  domain_leave_blocking(d);
}
