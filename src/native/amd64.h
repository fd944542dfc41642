/* SPDX-License-Identifier: MIT */
/* What the C files and the assembly file of this architecture agree on: offsets,
 * and where the registers of interrupted OCaml code are. For both languages.
 * native/layout.c checks each offset against the structures.
 *
 * What the compiler's output takes for granted (asmcomp/amd64/emit.mlp, proc.ml):
 *   %r14      the domain's state
 *   %r15      young_ptr, while OCaml code runs
 *   registers no register outlives a call of an OCaml function. An allocation or a poll keeps all but
 *             %r11 (and %r10 where the code may be linked dynamically)
 *   %rsp      16-byte aligned before each call, on a fiber while OCaml code runs
 *   handlers  two words on the stack, linked from the state's exn_handler: the next outer
 *             one's address, the code to go to with the exception in %rax */
#ifndef BAC_NATIVE_AMD64_H
#define BAC_NATIVE_AMD64_H

/* caml_domain_state */
#define STATE_YOUNG_LIMIT 0
#define STATE_YOUNG_PTR 8
#define STATE_YOUNG_START 16
#define STATE_YOUNG_END 24
#define STATE_CURRENT_STACK 40
#define STATE_EXN_HANDLER 48
#define STATE_C_STACK 64
#define STATE_GC_REGS 88
#define STATE_DOMAIN 280
#define STATE_BACKTRACE_POS 184
#define STATE_BACKTRACE_ACTIVE 192

/* struct domain */
#define DOMAIN_YOUNG_LIST 40

/* struct stack_info */
#define STACK_SP 0
#define STACK_EXN 8
#define STACK_TOP 16
#define STACK_CALLBACKS 24      /* 32 bits */
#define STACK_NOTE_LIST 40
#define STACK_NOTE_PLACE 48

/* struct stack_top */
#define TOP_VALUE 0
#define TOP_EXN 8
#define TOP_EFFECT 16
#define TOP_PARENT 24
#define TOP_BARRIER_RETURN 40

/* struct c_stack_link */
#define LINK_STACK 0
#define LINK_SP 8
#define LINK_PREV 16
#define LINK_SIZE 24

/* struct stack_chunk */
#define CHUNK_TRAP 0
#define CHUNK_LINK 16
#define CHUNK_REGS 24
#define CHUNK_SIZE 32

/* The registers of code that allocates or polls, in the order of the compiler's numbers: 13 integer
 * registers, 16 floating-point ones; one more word keeps the alignment. */
#define SAVED_INT_REGS 13
#define SAVED_FLOAT_REGS 16
#define SAVED_SIZE 240

#endif
