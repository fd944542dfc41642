/* SPDX-License-Identifier: MIT */
/* Allocation, fields and safepoints, as far as the public header does not have them inline.
 *
 * Finalisers must not run inside an allocation, but the collector keeps the domain interrupted while one is
 * ready. So the slow path takes the interrupt, notes it in [finalisers_ready] for the next poll, and the fast path
 * is fast again. No state. */
#include "capi/capi.h"

#include "base/bits.h"

static void serve(struct bac_domain *b, struct domain *d)
{
  if (domain_has_interrupts(d) && gc_poll(d)) b->finalisers_ready = 1;
}

value capi_alloc(struct bac_domain *b, size_t wosize, tag_t tag)
{
  struct domain *d = capi_internal(b);
  serve(b, d);
  return gc_alloc(d, max_size(wosize, 1), tag);
}

static size_t words_of(size_t bytes) { return bytes / sizeof(value) + (bytes % sizeof(value) != 0); }

bac_value bac_alloc_slow_(struct bac_domain *b, size_t fields, unsigned tag)
{
  capi_entered(b, "bac_alloc");
  if (tag >= BAC_TAGS) bac_fatal("bac_alloc: tag %u is not below %d", tag, BAC_TAGS);
  return capi_alloc(b, fields, tag);
}

bac_value bac_alloc_bytes_slow_(struct bac_domain *b, size_t bytes)
{
  capi_entered(b, "bac_alloc_bytes");
  return capi_alloc(b, words_of(bytes), Abstract_tag);
}

bac_value bac_alloc_custom(struct bac_domain *b, size_t bytes, void (*finalise)(void *data), size_t mem, size_t max)
{
  struct domain *d = CAPI_ENTERED(b);
  serve(b, d);
  value v = gc_alloc_custom(d, words_of(bytes) + 1, finalise != NULL, mem, max);
  if (v != 0) Field(v, 0) = (value)finalise;
  return v;
}

void bac_add_off_heap(struct bac_domain *b, size_t bytes)
{
  gc_dependent_memory(CAPI_ENTERED(b), (intnat)min_size(bytes, INTPTR_MAX));
}

void bac_adjust_speed(struct bac_domain *b, size_t mem, size_t max)
{
  struct domain *d = CAPI_ENTERED(b);
  if (max == 0) bac_fatal("bac_adjust_speed: max is 0");
  gc_adjust_speed(d, mem, max);
}

/* ---- Fields ---- */

static struct domain *internal_checked(struct bac_domain *b)
{
  DCHECK(domain_self() != NULL && capi_domain(domain_self()) == b);
  return capi_internal(b);
}

void bac_init_field_slow_(struct bac_domain *b, bac_value *field, bac_value v)
{
  gc_init_field(internal_checked(b), field, v);
}

void bac_write_slow_(struct bac_domain *b, bac_value *field, bac_value v)
{
  gc_write_field(internal_checked(b), field, v);
}

bac_value bac_exchange(struct bac_domain *b, bac_value block, size_t i, bac_value v)
{
  return gc_exchange_field(CAPI_ENTERED(b), &Field(block, i), v);
}

int bac_compare_and_set(struct bac_domain *b, bac_value block, size_t i, bac_value expected, bac_value desired)
{
  return gc_cas_field(CAPI_ENTERED(b), &Field(block, i), expected, desired);
}

/* ---- Safepoints ---- */

void bac_poll_slow_(struct bac_domain *b)
{
  serve(b, capi_entered(b, "bac_poll"));
  capi_finalise(b);
}

void bac_enter_blocking(struct bac_domain *b) { domain_enter_blocking(CAPI_ENTERED(b)); }

void bac_leave_blocking(struct bac_domain *b)
{
  struct domain *d = domain_self();
  if (d == NULL || b != capi_domain(d)) bac_fatal("bac_leave_blocking: this is not the thread's domain");
  if (load_relaxed(&d->state) == DOMAIN_RUNNING) bac_fatal("bac_leave_blocking: called outside of a blocking section");
  domain_leave_blocking(d);
}
