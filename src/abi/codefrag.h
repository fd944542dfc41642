/* SPDX-License-Identifier: MIT */
/* Code fragments: the ranges of addresses that hold OCaml code.
 *
 * The main program is one; a toplevel phrase and a dynamically loaded unit are
 * one each. Marshalling names a code pointer by the MD5 digest of its fragment
 * and its offset there; compare and hash ask whether an address is code.
 *
 * CONCURRENCY. Look-ups take no lock and may run in any thread: they read an
 * immutable sorted table through one acquire load. A change builds a new table
 * under a lock of RANK_ABI and publishes it; old tables and removed
 * fragments are kept, since a reader may still hold them (a program removes
 * few fragments). */
#ifndef BAC_ABI_CODEFRAG_H
#define BAC_ABI_CODEFRAG_H

#include "base/check.h"

enum { CODEFRAG_DIGEST_SIZE = 16 };

/* Computes the digest of [start, end) when it is first asked for. Must not use
 * this module. */
typedef void codefrag_digester(const void *start, const void *end, unsigned char digest[CODEFRAG_DIGEST_SIZE]);

struct codefrag;            /* lives for ever */

/* Registers [start, end), which overlaps no other fragment. Its digest is
 * [given] (copied) or what [digester] computes; with neither it is never found by
 * digest and its code cannot be marshalled. NULL: no memory. */
struct codefrag *codefrag_register(const void *start, const void *end, const unsigned char *given,
                                   codefrag_digester *digester);
void codefrag_remove(struct codefrag *f);

/* NULL: none. */
struct codefrag *codefrag_find_pc(const void *pc);
struct codefrag *codefrag_find_digest(const unsigned char digest[CODEFRAG_DIGEST_SIZE]);

const char *codefrag_start(const struct codefrag *f);
const char *codefrag_end(const struct codefrag *f);
/* 16 bytes, or NULL where it has none. Valid for ever. */
const unsigned char *codefrag_digest(struct codefrag *f);

#endif
