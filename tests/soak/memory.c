/* SPDX-License-Identifier: MIT */
/* What the C library keeps for reuse must not be in the soak's figures: one arena, whose end malloc_trim gives back. */
#include <caml/mlvalues.h>
#include <malloc.h>

value soak_one_arena(value unit)
{
  mallopt(M_ARENA_MAX, 1);
  return unit;
}

value soak_trim(value unit)
{
  malloc_trim(0);
  return unit;
}
