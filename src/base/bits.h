/* SPDX-License-Identifier: MIT */
/* Arithmetic on sizes and bits. */
#ifndef BAC_BASE_BITS_H
#define BAC_BASE_BITS_H

#include "base/check.h"

static inline bool is_pow2(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

/* [to] is a power of two. */
static inline size_t align_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }
static inline size_t align_down(size_t n, size_t to) { return n & ~(to - 1); }

static inline size_t div_up(size_t n, size_t by) { return (n + by - 1) / by; }

/* The largest k with 2^k <= n; n > 0. */
static inline unsigned log2_floor(size_t n) { return 63u - (unsigned)__builtin_clzl(n); }
static inline unsigned log2_ceil(size_t n) { return n <= 1 ? 0 : log2_floor(n - 1) + 1; }

static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/* False where the sum or product would not fit. */
static inline bool add_fits(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool mul_fits(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }

#endif
