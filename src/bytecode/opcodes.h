/* SPDX-License-Identifier: MIT */
/* Numbers, names and operand shapes of the bytecode instructions, made from
 * abi/5.3/opcodes.tbl. An instruction is a 32-bit opcode word followed by its
 * 32-bit operand words, all little-endian in the file and native in memory. */
#ifndef BAC_BYTECODE_OPCODES_H
#define BAC_BYTECODE_OPCODES_H

#include "base/check.h"

enum opcode {
#define OPCODE(name, shape) OP_##name,
#include "abi/5.3/opcodes.tbl"
#undef OPCODE
  OPCODE_COUNT
};

/* The operands. A label is a displacement in words, counted from the word that holds
 * it, or where several labels form a table, from the table's first word. */
enum opcode_shape {
  SHAPE_NONE,
  SHAPE_UINT,
  SHAPE_SINT,
  SHAPE_UINT_UINT,
  SHAPE_LABEL,
  SHAPE_UINT_LABEL,
  SHAPE_SINT_LABEL,
  SHAPE_GLOBAL,        /* index in the table of globals */
  SHAPE_GLOBAL_UINT,   /* and a field number */
  SHAPE_PRIM,          /* index in the table of primitives */
  SHAPE_UINT_PRIM,     /* argument count and index */
  SHAPE_METHOD,        /* method hash and a word for the interpreter's cache */
  SHAPE_SWITCH,        /* constants + (blocks << 16), then a table of labels */
  SHAPE_CLOSUREREC,    /* functions, free variables, then a table of labels */
};

struct opcode_info {
  const char *name;
  enum opcode_shape shape;
};
extern const struct opcode_info opcode_info[OPCODE_COUNT];

/* Words of each instruction, without the table of labels that follows SWITCH and
 * CLOSUREREC. */
extern const uint8_t opcode_fixed_words[OPCODE_COUNT];
size_t opcode_words_with_table(const int32_t *code, size_t room);

/* Words of the instruction at [code], opcode included; at most [room] words may
 * be read. 0: unknown opcode, or it does not fit in [room]. */
static inline size_t opcode_words(const int32_t *code, size_t room)
{
  if (room == 0 || (uint32_t)code[0] >= OPCODE_COUNT) return 0;
  if (code[0] == OP_SWITCH || code[0] == OP_CLOSUREREC) return opcode_words_with_table(code, room);
  size_t words = opcode_fixed_words[code[0]];
  return words > room ? 0 : words;
}

#endif
