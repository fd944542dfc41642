/* SPDX-License-Identifier: MIT */
/* Weak references and ephemerons of C programs: indices and kinds are checked, an empty
 * place is BAC_NONE. No state. */
#include "capi/capi.h"

#include "heap/heap.h"

static void check_ephe(value ephe, const char *function)
{
  if (!gc_in_major_heap(ephe) || (heap_kind(ephe) & 0xf) != KIND_EPHE) bac_fatal("%s: not an ephemeron", function);
}

static mlsize_t place(value ephe, size_t i, const char *function)
{
  check_ephe(ephe, function);
  if (i == BAC_DATUM) return EPHE_DATA;
  size_t keys = bac_ephe_keys(ephe);
  if (i >= keys) bac_fatal("%s: key %zu of %zu", function, i, keys);
  return EPHE_FIRST_KEY + i;
}

bac_value bac_ephe_create(struct bac_domain *b, size_t keys)
{
  struct domain *d = CAPI_ENTERED(b);
  if (keys > Max_wosize - EPHE_FIRST_KEY) return BAC_NONE;
  return gc_ephe_create(d, keys);
}

bac_value bac_ephe_get(struct bac_domain *b, bac_value ephe, size_t i)
{
  struct domain *d = CAPI_ENTERED(b);
  value v = gc_ephe_get(d, ephe, place(ephe, i, __func__));
  return v == bac_ephe_none ? BAC_NONE : v;
}

int bac_ephe_check(struct bac_domain *b, bac_value ephe, size_t i)
{
  struct domain *d = CAPI_ENTERED(b);
  return gc_ephe_check(d, ephe, place(ephe, i, __func__));
}

void bac_ephe_set(struct bac_domain *b, bac_value ephe, size_t i, bac_value v)
{
  struct domain *d = CAPI_ENTERED(b);
  mlsize_t at = place(ephe, i, __func__);
  if (v == BAC_NONE) gc_ephe_unset(d, ephe, at);
  else gc_ephe_set(d, ephe, at, v);
}

static void check_range(value ephe, size_t i, size_t count)
{
  check_ephe(ephe, "bac_ephe_blit");
  size_t keys = bac_ephe_keys(ephe);
  if (i > keys || count > keys - i) bac_fatal("bac_ephe_blit: %zu keys from %zu of %zu", count, i, keys);
}

void bac_ephe_blit(struct bac_domain *b, bac_value from, size_t i, bac_value to, size_t j, size_t count)
{
  struct domain *d = CAPI_ENTERED(b);
  check_range(from, i, count);
  check_range(to, j, count);
  gc_ephe_blit_key(d, from, EPHE_FIRST_KEY + i, to, EPHE_FIRST_KEY + j, count);
}

size_t bac_ephe_keys(bac_value ephe)
{
  check_ephe(ephe, __func__);
  return Wosize_val(ephe) - EPHE_FIRST_KEY;
}
