/* SPDX-License-Identifier: MIT */
/* The call stack as the memory profiler takes it at an allocation: into C
 * memory, since nothing may be allocated there. Stateless. */
#include "bytecode/fiber.h"
#include "prims/memprof.h"

size_t backend_callstack(void **slots, size_t max)
{
  struct fiber_walk walk = fiber_walk_start(Caml_state->current_stack);
  size_t count = 0;
  code_t pc;
  while (count < max && (pc = fiber_walk_next(&walk)) != NULL) slots[count++] = pc;
  return count;
}
