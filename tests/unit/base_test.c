/* SPDX-License-Identifier: MIT */
/* Tests of src/base: vectors, bit arithmetic, random numbers, fatal errors. */
#include "unit.h"

#include "base/bits.h"
#include "base/check.h"
#include "base/rng.h"
#include "base/vec.h"

#include <errno.h>

TEST(vec_push_pop)
{
  VEC(uint64_t) v = VEC_EMPTY;
  size_t n = 1 + rng_below(&unit_rng, 5000);
  for (size_t i = 0; i < n; i++) *vec_push(&v) = i * i;
  EXPECT_EQ(v.len, n);
  EXPECT(v.cap >= v.len);
  for (size_t i = 0; i < n; i++) EXPECT_EQ(v.at[i], i * i);
  for (size_t i = n; i > 0; i--) EXPECT_EQ(vec_pop(&v), (i - 1) * (i - 1));
  EXPECT_EQ(v.len, 0);
  vec_free(&v);
  EXPECT(v.at == NULL && v.len == 0 && v.cap == 0);
}

TEST(vec_reserve_is_exact_or_more)
{
  VEC(char) v = VEC_EMPTY;
  vec_reserve(&v, 1);
  EXPECT(v.cap >= 1);
  vec_reserve(&v, 100000);
  EXPECT(v.cap >= 100000);
  size_t cap = v.cap;
  vec_reserve(&v, 10);
  EXPECT_EQ(v.cap, cap);
  vec_free(&v);
}

TEST(vec_out_of_memory)
{
  size_t cap = 0;
  EXPECT_ABORTS(vec_grow(NULL, &cap, SIZE_MAX / 4, 8), "Fatal error: out of memory: a table of");
  /* Where realloc answers NULL; the sanitizers' does not answer. */
  if (!UNIT_SANITIZED) EXPECT_ABORTS(vec_grow(NULL, &cap, SIZE_MAX, 1), "Fatal error: out of memory: a table of");
}

TEST(bits_alignment)
{
  EXPECT(is_pow2(1) && is_pow2(64) && !is_pow2(0) && !is_pow2(96));
  for (int i = 0; i < 1000; i++) {
    size_t to = (size_t)1 << rng_below(&unit_rng, 20);
    size_t n = rng_below(&unit_rng, 1u << 30);
    EXPECT(align_up(n, to) >= n && align_up(n, to) - n < to && align_up(n, to) % to == 0);
    EXPECT(align_down(n, to) <= n && n - align_down(n, to) < to && align_down(n, to) % to == 0);
    EXPECT_EQ(div_up(n, to), align_up(n, to) / to);
  }
}

TEST(bits_logarithms)
{
  EXPECT_EQ(log2_ceil(0), 0);
  EXPECT_EQ(log2_ceil(1), 0);
  for (unsigned k = 1; k < 63; k++) {
    size_t p = (size_t)1 << k;
    EXPECT_EQ(log2_floor(p), k);
    EXPECT_EQ(log2_floor(p + (p - 1)), k);
    EXPECT_EQ(log2_ceil(p), k);
    EXPECT_EQ(log2_ceil(p + 1), k + 1);
  }
  EXPECT_EQ(log2_floor(SIZE_MAX), 63);
}

TEST(bits_overflow)
{
  size_t out;
  EXPECT(add_fits(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
  EXPECT(!add_fits(SIZE_MAX, 1, &out));
  EXPECT(mul_fits(SIZE_MAX / 8, 8, &out) && out == SIZE_MAX - 7);
  EXPECT(!mul_fits(SIZE_MAX / 8 + 1, 8, &out));
}

TEST(rng_reference_sequence)
{
  /* The published test vector of splitmix64 for this seed. */
  struct rng r = { 1234567 };
  EXPECT(rng_next(&r) == 6457827717110365317u);
  EXPECT(rng_next(&r) == 3203168211198807973u);
  EXPECT(rng_next(&r) == 9817491932198370423u);
}

TEST(rng_bounds)
{
  uint64_t seen = 0;
  for (int i = 0; i < 2000; i++) {
    uint64_t n = rng_below(&unit_rng, 10);
    EXPECT(n < 10);
    seen |= 1u << n;
  }
  EXPECT_EQ(seen, 0x3ff);
  EXPECT_EQ(rng_below(&unit_rng, 1), 0);
}

TEST(fatal_messages)
{
  EXPECT_ABORTS(bac_fatal("no room for %d words", 12), "Fatal error: no room for 12 words\n");
  EXPECT_ABORTS(CHECK(1 == 2), "1 == 2\n");
  CHECK(1 == 1);
  /* A message beyond the buffer is cut, still ends in a newline and still aborts. */
  EXPECT_ABORTS(bac_fatal("%04000d|%s%0200d", 7, "near the edge", 9), "0007|near the edge");
}

TEST(warning_keeps_errno)
{
  int saved = dup(STDERR_FILENO), ends[2];
  REQUIRE(saved >= 0 && pipe(ends) == 0);
  dup2(ends[1], STDERR_FILENO);
  errno = ERANGE;
  bac_warn("odd value %s", "x");
  int after = errno;
  dup2(saved, STDERR_FILENO);
  char text[64] = "";
  EXPECT(read(ends[0], text, sizeof text - 1) > 0);
  EXPECT_STR(text, "[bactrian] odd value x\n");
  EXPECT_EQ(after, ERANGE);
  close(saved);
  close(ends[0]);
  close(ends[1]);
}

UNIT_MAIN()
