/* SPDX-License-Identifier: MIT */
/* What the marshaller's fuzzer is made of: random graphs (graphs.c), and the messages that become of
 * their data when it is damaged (damage.c). marshal_fuzz.c reads these and judges. */
#ifndef BAC_TESTS_FUZZ_MARSHAL_H
#define BAC_TESTS_FUZZ_MARSHAL_H

#include "base/rng.h"
#include "base/vec.h"
#include "prims/marshal.h"

/* All that is random comes from here. */
extern struct rng fuzz_rng;
static inline uint64_t below(uint64_t bound) { return rng_below(&fuzz_rng, bound); }
static inline bool one_in(uint64_t n) { return below(n) == 0; }

struct message {
  unsigned char *bytes;          /* malloc'ed */
  size_t size;
};

/* A sound message to start from: whole, and its data alone, uncompressed. */
struct sample {
  struct message whole;
  unsigned char *data;
  size_t data_size;
  unsigned flags;                /* enum marshal_flags */
};
typedef VEC(struct sample) samples;

/* Registers code for closures and a custom block with a finaliser, which ends the process if it
 * sees an unfinished block. */
void graphs_init(void);
/* A random value of all kinds of blocks. [tree]: without cycles. [may gc] */
value graphs_make(bool tree);

/* One message, damaged or, seldom, not. Depends on the samples and fuzz_rng alone. */
struct message damage(const samples *from);

#endif
