/* SPDX-License-Identifier: MIT */
/* The nurseries' address space: see nursery.h. */
#include "heap/nursery.h"

#include "base/bits.h"
#include "os/os.h"

struct nurseries bac_nurseries;

/* A slot may grow to this where address space is free, and must hold the first size asked for. */
static const size_t SLOT_BYTES_MAX = (size_t)2 << 30;

bool nursery_init(int slots, size_t words)
{
  struct nurseries *n = &bac_nurseries;
  size_t least = (size_t)1 << log2_ceil(align_up(words * sizeof(value), os_page_size()));
  size_t slot = os_address_space_limit() == SIZE_MAX ? max_size(SLOT_BYTES_MAX, least) : least;
  for (;; slot = max_size(slot / 2, least)) {
    void *base = os_reserve(slot * slots, os_page_size());
    if (base != NULL) {
      *n = (struct nurseries){(uintnat)base, slot * slots, slot * slots / 2, slot, log2_floor(slot)};
      return true;
    }
    if (slot == least) return false;
  }
}

void nursery_fini(void)
{
  os_unreserve((void *)bac_nurseries.base, bac_nurseries.bytes);
  bac_nurseries.bytes = 0;
}

size_t nursery_max_words(void) { return bac_nurseries.slot_bytes / sizeof(value); }

bool nursery_commit(int slot, size_t words, value **start, value **end)
{
  struct nurseries *n = &bac_nurseries;
  size_t bytes = align_up(words * sizeof(value), os_page_size());
  if (bytes > n->slot_bytes) return false;
  char *top = (char *)n->base + (slot + 1) * n->slot_bytes;
  if (!os_commit(top - bytes, bytes)) return false;
  *start = (value *)(top - bytes);
  *end = (value *)top;
  return true;
}

void nursery_release(int slot, value *start, value *end)
{
  os_decommit(start, (char *)end - (char *)start);
}
