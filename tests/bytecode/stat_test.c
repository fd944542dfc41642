/* SPDX-License-Identifier: MIT */
/* Counts near the limit of an OCaml integer: src/prims/gcctrl.h. */
#include "../unit/unit.h"

#include "prims/gcctrl.h"

TEST(counts_do_not_wrap)
{
  const uint64_t most = ((uint64_t)1 << 62) - 1;
  EXPECT_EQ(Long_val(count_val(0)), 0);
  EXPECT_EQ(Long_val(count_val(((uint64_t)1 << 53) + 1)), ((intnat)1 << 53) + 1);
  EXPECT_EQ(Long_val(count_val(most - 1)), most - 1);
  EXPECT_EQ(Long_val(count_val(most)), most);
  EXPECT_EQ(Long_val(count_val(most + 1)), most);
  EXPECT_EQ(Long_val(count_val((uint64_t)1 << 63)), most);
  EXPECT_EQ(Long_val(count_val(UINT64_MAX)), most);
}

UNIT_MAIN()
