/* SPDX-License-Identifier: MIT */
/* Which primitives the interpreter does itself, found by their addresses. The functions are declared without their types,
 * so no header that has them is included.
 *
 * State: the table, sorted by inlined_init, then [const]. */
#include "bytecode/labels.h"

#include <stdint.h>
#include <stdlib.h>

#define INLINED_PRIMITIVE(name, args) intptr_t name(void);
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE

typedef intptr_t (*primitive)(void);

static struct inlined {
  primitive function;
  int label, opcode;
} table[] = {
#define INLINED_PRIMITIVE(name, args) {name, OP_##name, OP_C_CALL##args},
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE
};

static int address_compare(const void *a, const void *b)
{
  uintptr_t x = (uintptr_t)((const struct inlined *)a)->function, y = (uintptr_t)((const struct inlined *)b)->function;
  return (x > y) - (x < y);
}

void inlined_init(int opcodes[LABELS])
{
  qsort(table, countof(table), sizeof table[0], address_compare);
  for (size_t i = 0; i < countof(table); i++) opcodes[table[i].label] = table[i].opcode;
}

int inlined_label(int opcode, intptr_t (*primitive)(void))
{
  const struct inlined key = {.function = primitive}, *found = bsearch(&key, table, countof(table), sizeof key, address_compare);
  return found && found->opcode == opcode ? found->label : opcode;
}
