/* SPDX-License-Identifier: MIT */
/* What the files of this room share. The room is the third back end, beside bytecode and native code:
 * it hands the collector a gc_client whose roots are the shadow stacks of C programs, and puts the collector's
 * functions under the names of the public header, with misuse noticed.
 *
 * A public struct bac_domain is the domain's state that begins with the window; its [internal] is the
 * struct domain. A public bac_value is a value.
 *
 * Not here: anything that decides about memory; that is src/gc. Guide for users: docs/c-api.md. Tests: tests/capi. */
#ifndef BAC_CAPI_CAPI_H
#define BAC_CAPI_CAPI_H

#include "bactrian/gc.h"
#include "gc/gc.h"
#include "sync/atomic.h"

static inline struct bac_domain *capi_domain(struct domain *d) { return (struct bac_domain *)d->window; }
static inline struct domain *capi_internal(struct bac_domain *b) { return (struct domain *)b->internal; }

/* The domain of a call marked [d]; aborts in the name of [function] where the call is another thread's, or
 * made in a blocking section. */
static inline struct domain *capi_entered(struct bac_domain *b, const char *function)
{
  struct domain *d = domain_self();
  if (unlikely(d == NULL || b != capi_domain(d))) bac_fatal("%s: this is not the thread's domain", function);
  if (unlikely(load_relaxed(&d->state) != DOMAIN_RUNNING)) bac_fatal("%s: called in a blocking section", function);
  return d;
}
#define CAPI_ENTERED(b) capi_entered((b), __func__)

/* The collector as a client sees it; the tests' mock mutator adds to it. */
extern const struct gc_client capi_client;
/* bac_start for a client that has at least these functions. */
struct bac_domain *capi_start(const struct gc_params *params, const struct gc_client *client, const char **why);

/* Calls the finalisers that are ready. The tail of every function marked [runs]. */
void capi_finalise(struct bac_domain *b);

/* Words that the domain's local roots take. */
size_t capi_root_words(const struct bac_domain *b);

/* An empty block of a size that was asked for by a program; BAC_NONE: no memory. [may gc] */
value capi_alloc(struct bac_domain *b, size_t wosize, tag_t tag);

/* Once a second domain may be. */
void capi_install_fork_handlers(void);

#endif
