/* SPDX-License-Identifier: MIT */
/* The labels of the interpreter loop: one for each opcode, one for an instruction
 * of our own, one for each pair of pairs.tbl. Private to interp.c and thread.c. */
#ifndef BAC_BYTECODE_LABELS_H
#define BAC_BYTECODE_LABELS_H

#include "bytecode/opcodes.h"

enum loop_label {
  OP_FIBER_RETURN = OPCODE_COUNT,
#define PAIR(first, second) OP_##first##_##second,
#include "bytecode/pairs.tbl"
#undef PAIR
  LABELS,
  FIRST_PAIR = OP_FIBER_RETURN + 1,
};

/* What stands in threaded code for each label. */
const int32_t *interp_labels(void);

#endif
