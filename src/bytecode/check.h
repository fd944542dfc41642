/* SPDX-License-Identifier: MIT */
/* The check that all code passes before it runs: the main program's and what
 * is loaded later.
 *
 * CHECK-1  the code is a sequence of whole, known instructions; no debugger's
 *          instruction is among them
 * CHECK-2  every distance (jumps, handlers, return addresses, functions, cases)
 *          leads to the start of an instruction
 * CHECK-3  indices lie in the tables of globals and primitives; counts, tags and
 *          sizes have sense by themselves
 * CHECK-4  the instruction before a GRAB is a RESTART: partial applications
 *          step back to it
 * CHECK-5  the last instruction does not go on past the end
 *
 * It does not follow the stack or the types: code that a compiler did not write can still go
 * wrong when it runs. Linear time, two bits of memory for each word. Any thread. */
#ifndef BAC_BYTECODE_CHECK_H
#define BAC_BYTECODE_CHECK_H

#include "base/check.h"

enum { CODE_MESSAGE_SIZE = 160 };

struct code_limits {
  size_t globals;
  size_t primitives;
};

/* Unthreaded code. False: what is wrong, and at which word, stands in [why]. */
bool code_check(const int32_t *code, size_t words, const struct code_limits *limits, char why[CODE_MESSAGE_SIZE]);

#endif
