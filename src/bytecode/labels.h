/* SPDX-License-Identifier: MIT */
/* The labels of the interpreter loop: one for each opcode, one for an instruction
 * of our own, one for each primitive of inlined.tbl and for each sequence of sequences.tbl. Private to interp.c, thread.c and
 * inlined.c. */
#ifndef BAC_BYTECODE_LABELS_H
#define BAC_BYTECODE_LABELS_H

#include "bytecode/opcodes.h"

enum loop_label {
  OP_FIBER_RETURN = OPCODE_COUNT,
#define INLINED_PRIMITIVE(name, args) OP_##name,
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE
  FIRST_SEQUENCE,                /* of those before */
  LAST_SINGLE = FIRST_SEQUENCE - 1,
#define SEQUENCE(name, ...) OP_##name,
#include "bytecode/each_sequence.tbl"
  LABELS,
  FIRST_INLINED = OP_FIBER_RETURN + 1,
};

/* Sets the opcodes of the calls that inlined primitives stand for, by label. */
void inlined_init(int opcodes[LABELS]);
/* The label that does what a call of the primitive by this instruction does; that is often the instruction's own. */
int inlined_label(int opcode, intptr_t (*primitive)(void));

/* What stands in threaded code for each label. */
const int32_t *interp_labels(void);

#endif
