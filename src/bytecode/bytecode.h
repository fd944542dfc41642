/* SPDX-License-Identifier: MIT */
/* The bytecode back end: what its files tell each other.
 *
 * The loader reads an executable and checks it, makes its code runnable
 * (interp_thread_code) and runs it (interp_run). The interpreter asks the debug
 * information where events are. Fibers: bytecode/fiber.h. Opcodes:
 * bytecode/opcodes.h. */
#ifndef BAC_BYTECODE_BYTECODE_H
#define BAC_BYTECODE_BYTECODE_H

#include "abi/runtime.h"

/* ---- Interpreter (interp.c, thread.c) ---- */

/* Replaces each opcode of checked code by what the interpreter jumps to. The
 * operands are unchanged. Fused: a word may do its instruction and the next one, or what the primitive does that is called. */
void interp_thread_code(code_t code, size_t words, bool fused);
opcode_t interp_word(int opcode);     /* by what it replaces this one, alone */
/* The opcode (enum opcode) that stood at [pc], an instruction of threaded code,
 * before; at another word of the code -1, or any opcode. */
int interp_opcode_at(const opcode_t *pc);

/* Runs from [code] with environment [env] and unit in the accumulator until STOP.
 * An exception that leaves the code comes back marked (Is_exception_result). */
value interp_run(code_t code, value env);

/* Once, before the first domain has a stack; more calls do nothing. */
void interp_init(void);
/* Where the first function on a handler's fiber returns to. */
code_t interp_fiber_return(void);
/* And where the function that C code applies returns to. */
code_t interp_stop(void);

/* ---- Primitives (dynlink.c) ---- */

/* C_CALL's operand indexes it. It neither moves nor grows; an entry is written once, before code that
 * calls it exists. */
typedef value (*bytecode_prim)(void);
enum { PRIMITIVES_MAX = 1 << 16 };
extern bytecode_prim bytecode_prims[PRIMITIVES_MAX];

/* ---- Roots (roots.c) ---- */

/* What gc_init wants. Also defines caml_global_data (abi/runtime.h), a process
 * root: the table of the program's globals, a block of tag 0 that dynamic linking grows. */
extern const struct gc_client bytecode_client;

/* ---- Exceptions (raise.c) ---- */

/* One running instance of the interpreter loop. C code that raises jumps to
 * Caml_state->external_raise, the innermost one. */
struct exception_context;

/* Records the return addresses from the innermost frame (the current fiber's saved stack pointer)
 * up to the frame of the handler in Caml_state->backtrace_buffer. Called where
 * Caml_state->backtrace_active. A reraise of the same exception goes on where
 * the last one stopped. [no gc] */
void backtrace_stash(value exn, bool is_reraise);

/* ---- Debug information (debuginfo.c) ---- */

/* Is there a debug event at this code address (of unthreaded or threaded code)?
 * Any thread, no lock. [no gc] */
bool debuginfo_has_event(code_t pc);

#endif
