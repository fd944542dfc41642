/* SPDX-License-Identifier: MIT */
/* The table of instructions, and how long each is. Constant data; no state. */
#include "bytecode/opcodes.h"

const struct opcode_info opcode_info[OPCODE_COUNT] = {
#define OPCODE(name, shape) {#name, shape},
#include "abi/5.3/opcodes.tbl"
#undef OPCODE
};

enum shape_words {
  WORDS_SHAPE_NONE = 1,
  WORDS_SHAPE_UINT = 2,
  WORDS_SHAPE_SINT = 2,
  WORDS_SHAPE_UINT_UINT = 3,
  WORDS_SHAPE_LABEL = 2,
  WORDS_SHAPE_UINT_LABEL = 3,
  WORDS_SHAPE_SINT_LABEL = 3,
  WORDS_SHAPE_GLOBAL = 2,
  WORDS_SHAPE_GLOBAL_UINT = 3,
  WORDS_SHAPE_PRIM = 2,
  WORDS_SHAPE_UINT_PRIM = 3,
  WORDS_SHAPE_METHOD = 3,
  WORDS_SHAPE_SWITCH = 2,
  WORDS_SHAPE_CLOSUREREC = 3,
};

const uint8_t opcode_fixed_words[OPCODE_COUNT] = {
#define OPCODE(name, shape) WORDS_##shape,
#include "abi/5.3/opcodes.tbl"
#undef OPCODE
};

size_t opcode_words_with_table(const int32_t *code, size_t room)
{
  size_t words = opcode_fixed_words[code[0]];
  if (words > room) return 0;
  uint32_t count = (uint32_t)code[1];
  words += code[0] == OP_SWITCH ? (count & 0xffff) + (count >> 16) : count;
  return words > room ? 0 : words;
}
