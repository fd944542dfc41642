/* SPDX-License-Identifier: MIT */
/* Activations: the running instances of the interpreter loop in one thread.
 * Each is entered by C code (the start of the program, a callback) and is the
 * target of C code that raises.
 *
 * Private to interp.c, callback.c and raise.c. An activation lives in its C
 * stack frame; Caml_state->external_raise points at the innermost. */
#ifndef BAC_BYTECODE_ACTIVATION_H
#define BAC_BYTECODE_ACTIVATION_H

#include "bytecode/fiber.h"

#include <setjmp.h>

/* Effects and exceptions do not pass [base] while this activation runs: below
 * [used] words of it are frames of an outer one. Fibers that this activation started have
 * it as their last ancestor of concern. */
struct exception_context {
  jmp_buf jump;
  value exn;                             /* what was raised; read by the target before anything collects */
  struct caml__roots_block *local_roots; /* as they were at the entry */
  struct channel *channels;              /* the channel locked last at the entry */
  struct stack_info *base;
  size_t used;
  intnat outer_trap;                     /* base->trap of the outer activation */
  struct exception_context *outer;
};

/* Pushes a frame that ends the activation and [count] arguments on the current
 * fiber and applies the closure f. An exception result, or what f returned. count >= 1. */
value activation_apply(value f, size_t count, const value *args);

#endif
