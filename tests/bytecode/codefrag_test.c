/* SPDX-License-Identifier: MIT */
/* Tests of src/abi/codefrag.c: finding by address and by digest, against a
 * plain array, and look-ups while another thread changes the table. */
#include "../unit/unit.h"

#include "abi/codefrag.h"
#include "sync/atomic.h"

#include <pthread.h>

enum { FRAGMENTS = 50, SIZE = 64 };
static char memory[FRAGMENTS * 2][SIZE];     /* every second one is a gap */
static unsigned digests_computed;

static void first_byte_digest(const void *start, const void *end, unsigned char digest[CODEFRAG_DIGEST_SIZE])
{
  digests_computed++;
  memset(digest, *(const char *)start, CODEFRAG_DIGEST_SIZE);
}

static char *place(size_t i) { return memory[2 * i]; }
static struct codefrag *add(size_t i) { return codefrag_register(place(i), place(i) + SIZE, NULL, first_byte_digest); }

TEST(by_address)
{
  struct codefrag *fragments[FRAGMENTS] = {NULL};
  for (int round = 0; round < 2000; round++) {
    size_t i = rng_below(&unit_rng, FRAGMENTS);
    if (fragments[i]) {
      codefrag_remove(fragments[i]);
      fragments[i] = NULL;
    } else {
      fragments[i] = add(i);
    }
    i = rng_below(&unit_rng, FRAGMENTS);
    REQUIRE(codefrag_find_pc(place(i)) == fragments[i]);
    REQUIRE(codefrag_find_pc(place(i) + SIZE - 1) == fragments[i]);
    REQUIRE(codefrag_find_pc(place(i) + SIZE) == NULL);
    REQUIRE(codefrag_find_pc(&fragments) == NULL);
  }
  for (size_t i = 0; i < FRAGMENTS; i++)
    if (fragments[i]) codefrag_remove(fragments[i]);
  EXPECT(codefrag_find_pc(NULL) == NULL);
}

TEST(by_digest)
{
  unsigned char wanted[CODEFRAG_DIGEST_SIZE];
  memset(place(1), 7, SIZE);
  memset(place(2), 9, SIZE);
  struct codefrag *lazy = add(1);
  memset(wanted, 42, sizeof wanted);
  struct codefrag *given = codefrag_register(place(2), place(2) + SIZE, wanted, NULL);
  struct codefrag *none = codefrag_register(place(3), place(3) + SIZE, NULL, NULL);
  digests_computed = 0;
  EXPECT(codefrag_find_pc(place(1)) == lazy);
  EXPECT_EQ(digests_computed, 0);
  EXPECT(codefrag_find_digest(wanted) == given);
  memset(wanted, 7, sizeof wanted);
  EXPECT(codefrag_find_digest(wanted) == lazy);
  EXPECT(codefrag_find_digest(wanted) == lazy);
  EXPECT_EQ(digests_computed, 1);
  memset(wanted, 0, sizeof wanted);
  EXPECT(codefrag_find_digest(wanted) == NULL);
  EXPECT(codefrag_digest(none) == NULL);
  EXPECT(codefrag_start(lazy) == place(1) && codefrag_end(lazy) == place(1) + SIZE);
  codefrag_remove(given);
  codefrag_remove(lazy);
  codefrag_remove(none);
}

static uint32_t stop;

static void *reader(void *arg)
{
  struct codefrag *fixed = arg;
  while (!load_relaxed(&stop)) {
    EXPECT(codefrag_find_pc(place(10) + 5) == fixed);
    struct codefrag *other = codefrag_find_pc(place(20));
    EXPECT(other == NULL || codefrag_start(other) == place(20));
  }
  return NULL;
}

TEST(readers_and_a_writer)
{
  struct codefrag *fixed = add(10);
  pthread_t threads[2];
  stop = 0;
  for (int i = 0; i < 2; i++) REQUIRE(pthread_create(&threads[i], NULL, reader, fixed) == 0);
  for (int round = 0; round < 2000; round++) codefrag_remove(add(20 + (size_t)round % 3));
  store_relaxed(&stop, 1);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  codefrag_remove(fixed);
}

UNIT_MAIN()
