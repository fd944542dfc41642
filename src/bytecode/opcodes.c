/* SPDX-License-Identifier: MIT */
/* The table of instructions, and how long each is. Constant data; no state. */
#include "bytecode/opcodes.h"

const struct opcode_info opcode_info[OPCODE_COUNT] = {
#define OPCODE(name, shape) {#name, shape},
#include "abi/5.3/opcodes.tbl"
#undef OPCODE
};

static const uint8_t shape_operands[] = {
    [SHAPE_NONE] = 0,        [SHAPE_UINT] = 1,       [SHAPE_SINT] = 1,
    [SHAPE_UINT_UINT] = 2,   [SHAPE_LABEL] = 1,      [SHAPE_UINT_LABEL] = 2,
    [SHAPE_SINT_LABEL] = 2,  [SHAPE_GLOBAL] = 1,     [SHAPE_GLOBAL_UINT] = 2,
    [SHAPE_PRIM] = 1,        [SHAPE_UINT_PRIM] = 2,  [SHAPE_METHOD] = 2,
    [SHAPE_SWITCH] = 1,      [SHAPE_CLOSUREREC] = 2,
};

/* Labels in the table that follows the operands. */
static size_t opcode_table_words(enum opcode_shape shape, const int32_t *operands)
{
  if (shape == SHAPE_CLOSUREREC) return (uint32_t)operands[0];
  if (shape == SHAPE_SWITCH) return (operands[0] & 0xffff) + ((uint32_t)operands[0] >> 16);
  return 0;
}

size_t opcode_words(const int32_t *code, size_t room)
{
  if (room == 0 || (uint32_t)code[0] >= OPCODE_COUNT) return 0;
  enum opcode_shape shape = opcode_info[code[0]].shape;
  size_t words = 1 + shape_operands[shape];
  if (words > room) return 0;
  words += opcode_table_words(shape, code + 1);
  return words > room ? 0 : words;
}
