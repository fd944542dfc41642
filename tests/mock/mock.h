/* SPDX-License-Identifier: MIT */
/* A mock mutator: the collector's client that the tests of src/gc use in place
 * of a back end. It is a program of the public header (src/capi): its roots are one frame of a shadow stack, its
 * custom blocks and threads are the header's. What it adds is not there for C programs: continuations, blocks of the
 * collector's own tags, and struct domain for the functions of gc.h that the tests are about; and it
 * starts the collector without the handlers of fork, which some tests call by hand.
 *
 * Process: mock_start once. Threads: mock_spawn runs a function on a domain of
 * its own; mock_join waits for it as a blocked domain. */
#ifndef BAC_TESTS_MOCK_H
#define BAC_TESTS_MOCK_H

#include "capi/capi.h"

enum { MOCK_ROOTS = 256 };

struct mock_state {
  struct bac_domain domain;    /* first: the collector's */
  value root[MOCK_ROOTS];
  struct { struct bac_frame head; value *slot; } frame;
};

static inline struct mock_state *mock_state(struct domain *d) { return (struct mock_state *)d->window; }

/* A custom block whose datum is the address of a counter, and the finaliser that counts there. */
void mock_count(void *data);
value mock_alloc_custom(struct domain *d, int64_t *counter, mlsize_t mem, mlsize_t max);

/* A continuation with a stack of [size] values, all Val_unit at first. */
struct mock_stack { size_t size; value slot[]; };
extern int64_t mock_stacks;    /* [atomic] stacks that exist */
value mock_alloc_continuation(struct domain *d, size_t size);
static inline struct mock_stack *mock_stack(value cont) { return Ptr_val(Field(cont, 0)); }

/* A block of [size] fields in the nursery or the major heap, all Val_unit; polls as OCaml code would. */
value mock_alloc(struct domain *d, mlsize_t size, tag_t tag);
void mock_poll(struct domain *d);

struct domain *mock_start(const struct gc_params *params);
extern const struct gc_client mock_client;    /* for those who call gc_init themselves */

/* mock_spawn answers false where there is no slot, no memory or no thread. */
struct mock_thread { void (*run)(struct domain *d, void *arg); void *arg; struct bac_thread *thread; };
bool mock_spawn(struct domain *parent, struct mock_thread *t, void (*run)(struct domain *, void *), void *arg);
void mock_join(struct domain *d, struct mock_thread *t);

#endif
