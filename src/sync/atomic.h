/* SPDX-License-Identifier: MIT */
/* Atomic access, named by its memory order. For plain words that several
 * threads touch; the C11 _Atomic qualifier is not used, since most of these
 * words are also in ABI structures or in the OCaml heap. */
#ifndef BAC_SYNC_ATOMIC_H
#define BAC_SYNC_ATOMIC_H

#include "base/sanitizers.h"

#define load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
/* For a pointer that is only followed: what was written before it was published is seen through it,
 * by the data dependency that all our machines keep. The sanitizer knows no such order. */
#if UNDER_TSAN
#define load_dependent(p) load_acquire(p)
#else
#define load_dependent(p) load_relaxed(p)
#endif
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define load_seq(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define store_seq(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define exchange_seq(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define add_relaxed(p, n) __atomic_fetch_add((p), (n), __ATOMIC_RELAXED)
#define sub_relaxed(p, n) __atomic_fetch_sub((p), (n), __ATOMIC_RELAXED)
#define add_seq(p, n) __atomic_fetch_add((p), (n), __ATOMIC_SEQ_CST)
#define sub_seq(p, n) __atomic_fetch_sub((p), (n), __ATOMIC_SEQ_CST)
/* *expected is updated on failure, as with the C11 functions. */
#define cas_seq(p, expected, desired)                                        \
  __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_SEQ_CST, \
                              __ATOMIC_SEQ_CST)
#define cas_acq_rel(p, expected, desired)                                    \
  __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_ACQ_REL, \
                              __ATOMIC_ACQUIRE)
#define fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)
#define fence_seq() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif
