/* SPDX-License-Identifier: MIT */
/* The program's side of ocamldebug. The protocol is that of stock's debugger/debugcom.ml and <caml/debugger.h>: the debugger
 * writes events and breakpoints over instructions and says how many events the program may run; at each stop it
 * asks for values and frames. It goes back in time by checkpoints, which are forks that wait.
 *
 * A FRAME is told by the address of its three words: the address at which its function goes on, environment, extra
 * arguments, as a call pushes them; the function's own words follow. To the debugger it is named by the number of fibers
 * below its own, and by its distance from the fiber's top.
 *
 * For programs of one domain and one thread, as in stock. While no debugger is there, caml_debugger_in_use is 0 and nothing
 * below may be called but debugger_connect. */
#ifndef BAC_BYTECODE_DEBUGGER_H
#define BAC_BYTECODE_DEBUGGER_H

#include "abi/caml.h"

/* Connects with the debugger that CAML_DEBUG_SOCKET names, if it does. A fatal error if nobody answers. Before any
 * code is installed. */
void debugger_connect(void);

/* Code that has been installed, or is about to be released. [code_added] comes after the events that belong to it
 * (a value of type Instruct.debug_event list array), but for the program, which the debugger has read itself. */
void debugger_add_program(code_t code, size_t words);
void debugger_add_code(code_t code, size_t words, value events);
void debugger_remove_code(code_t code);

/* Waits for the command to go. */
void debugger_start(void);

/* The machine is at an event, or at a breakpoint, that stands at [pc]. What the loop saved is at the fiber's stack pointer: the
 * accumulator, then the frame. Answers the word of code that belongs there. */
opcode_t debugger_event(code_t pc);
opcode_t debugger_breakpoint(code_t pc);

/* [exn] is about to be given to the innermost handler of the running fiber. Its stack pointer is true. */
void debugger_raise(value exn);

/* The program ends. */
void debugger_uncaught(value exn);

#endif
