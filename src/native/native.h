/* SPDX-License-Identifier: MIT */
/* The native back end: what its files tell each other, beyond the stacks (native/stack.h, native/walk.h) and
 * the frame descriptors (native/frames.h). */
#ifndef BAC_NATIVE_NATIVE_H
#define BAC_NATIVE_NATIVE_H

#include "abi/runtime.h"

/* ---- The assembly file. See there what each does. ---- */
value caml_start_program(caml_domain_state *st);
value caml_callback_asm(caml_domain_state *st, value closure, value *args);
value caml_callback2_asm(caml_domain_state *st, value closure, value *args);
value caml_callback3_asm(caml_domain_state *st, value closure, value *args);
_Noreturn void caml_raise_exception(caml_domain_state *st, value exn);
extern char caml_system__code_begin[], caml_system__code_end[];
extern char native_return_barrier[];

/* ---- What it calls ---- */
void native_allocate(void);
void native_record_backtrace(value exn, char *sp, const char *handler);
void native_note_continuation(value cont);
void native_renew_continuation(value effect_and_cont[2]);
_Noreturn void native_raise_unhandled(value effect);
_Noreturn void native_raise_already_resumed(void);
extern const value native_bound_error[];

/* ---- Exceptions (raise.c) ---- */

/* To the innermost handler, at once; there is one. */
_Noreturn void raise_here(caml_domain_state *st, value exn);

/* ---- Source locations (debuginfo.c) ---- */

/* The slot of a backtrace that stands for one location. */
void *debuginfo_slot(const uint32_t *info);

/* ---- Static data and code (statics.c) ---- */

/* Frame descriptors and code fragments of the program. Before the collector starts. */
void statics_init(void);
/* The same for a unit that was linked dynamically; any of these may be NULL. Its roots are scanned always. */
void statics_add(const void *frame_table, value *roots, const char *code, const char *code_end);
extern intnat caml_globals_inited;
/* The program's globals; for young_only those that a module which is being initialised may have set since the last
 * time. [stw] */
void statics_scan(struct root_visitor *v);

/* ---- Roots (roots.c) ---- */
extern const struct gc_client native_client;

/* ---- Overflow of the C stack (overflow.c) ---- */

/* Once. A handler that the host program has set is kept. */
void overflow_handle_faults(void);
/* The end of it, and of this thread's part. */
void overflow_ignore_faults(void);
/* Is there little left of the C stack? Asked before OCaml code runs: from the first time on the thread is watched. */
bool overflow_is_near(void);

/* ---- Callbacks (callback.c) ---- */

/* Runs [entry] in OCaml: room for it is made, effects stop here. An exception comes back marked. [may run OCaml] */
value native_enter(value (*entry)(caml_domain_state *, value, value *), value closure, value *args);

#endif
