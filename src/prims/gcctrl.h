/* SPDX-License-Identifier: MIT */
/* Counts of the collector as OCaml integers. */
#ifndef BAC_PRIMS_GCCTRL_H
#define BAC_PRIMS_GCCTRL_H

#include "base/bits.h"
#include "heap/value.h"

/* An OCaml integer has 63 bits. A count that does not fit stands still at the largest; it never turns negative. */
static inline value count_val(uint64_t n) { return Val_long((intnat)min_size(n, (size_t)INTPTR_MAX >> 1)); }

#endif
