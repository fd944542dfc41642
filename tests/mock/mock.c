/* SPDX-License-Identifier: MIT */
/* The mock mutator: see mock.h. */
#include "mock/mock.h"

#include "sync/atomic.h"

#include <stdlib.h>

int64_t mock_stacks;

/* The roots are one frame of the shadow stack, there from the domain's first moment. */
static bool mock_domain_init(struct domain *d)
{
  struct mock_state *s = mock_state(d);
  if (!capi_client.domain_init(d)) return false;
  for (int i = 0; i < MOCK_ROOTS; i++) s->root[i] = Val_unit;
  s->frame.head = (struct bac_frame){NULL, &s->domain, -MOCK_ROOTS};
  s->frame.slot = s->root;
  s->domain.frames = &s->frame.head;
  return true;
}

static void mock_domain_fini(struct domain *d) { capi_client.domain_fini(d); }
static void mock_scan_domain(struct domain *d, struct root_visitor *v) { capi_client.scan_domain(d, v); }
static void mock_scan_process(struct root_visitor *v) { capi_client.scan_process(v); }
static bool mock_custom_has_finaliser(value v) { return capi_client.custom_has_finaliser(v); }
static void mock_custom_finalise(value v) { capi_client.custom_finalise(v); }

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
  value v = tag < BAC_TAGS ? bac_alloc(capi_domain(d), size, tag) : gc_alloc(d, size, tag);
  if (v == 0) bac_fatal("mock: no memory for a block of %lu words", size);
  return v;
}

void mock_count(void *data) { add_relaxed(*(int64_t **)data, 1); }

value mock_alloc_custom(struct domain *d, int64_t *counter, mlsize_t mem, mlsize_t max)
{
  mock_poll(d);
  value v = bac_alloc_custom(capi_domain(d), sizeof counter, counter == NULL ? NULL : mock_count, mem, max);
  if (v == 0) bac_fatal("mock: no memory for a custom block");
  *(int64_t **)bac_custom_data(v) = counter;
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
  struct gc_note note = {0};
  gc_note_continuation(d, v, &note);
  add_relaxed(&mock_stacks, 1);
  return v;
}

static bac_value mock_thread_run(struct bac_domain *b, bac_value arg)
{
  struct mock_thread *t = bac_to_pointer(arg);
  t->run(capi_internal(b), t->arg);
  return BAC_NIL;
}

bool mock_spawn(struct domain *parent, struct mock_thread *t, void (*run)(struct domain *, void *), void *arg)
{
  *t = (struct mock_thread){run, arg, NULL};
  t->thread = bac_spawn(capi_domain(parent), mock_thread_run, bac_from_pointer(t));
  return t->thread != NULL;
}

void mock_join(struct domain *d, struct mock_thread *t) { bac_join(capi_domain(d), t->thread); }
