/* SPDX-License-Identifier: MIT */
/* The glue between OCaml code and C on amd64: what the compiler's output calls by name, and
 * what C calls to run OCaml code. The contract is in native/amd64.h, the stacks in native/stack.h.
 *
 * OCaml code runs on fibers, C code on the thread's own stack ("the C stack"). Whoever enters OCaml code
 * leaves a struct c_stack_link at the bottom of the C stack; state->c_stack is its address, and the
 * place where the next C function's frame begins. TO_C saves in it, and in the fiber, where OCaml code
 * stopped, and moves to the C stack; TO_OCAML goes back. The fiber may have moved in between (it grows by
 * copying): its stack pointer is read again from the link, which growing corrects.
 *
 * UNWINDING. A frame on the C stack that was called from a fiber finds its caller through the link; the first
 * frame of a fiber finds C, or the parent fiber, through the chunk at the fiber's end. Each is said in
 * DWARF where the stacks change, so that debuggers and profilers see one stack. All these functions are
 * signal frames to them: only of such do they believe that the caller's stack is elsewhere.
 *
 * Everything below stands between caml_system__code_begin and _end: to a profiler it is the system's code. */
#include "native/amd64.h"

#define STATE(field) STATE_##field(%r14)

/* DWARF: the CFA is what the expression yields. rsp_rule OFFSET, ADD: the word at %rsp + OFFSET, plus ADD. */
#define DW_CFA_def_cfa_expression 0x0f
#define DW_CFA_expression 0x10
#define DW_RIP 16
#define DW_OP_deref 0x06
#define DW_OP_dup 0x12
#define DW_OP_drop 0x13
#define DW_OP_swap 0x16
#define DW_OP_plus_uconst 0x23
#define DW_OP_bra 0x28
#define DW_OP_skip 0x2f
#define DW_OP_breg_rbx 0x73
#define DW_OP_breg_rsp 0x77
#define DW_OP_breg_r14 0x7e

        .macro GLOBAL name
        .globl \name
        .type \name, @function
        .p2align 4
\name:
        .cfi_startproc
        .cfi_signal_frame
        .endm
        .macro HIDDEN name
        .hidden \name
        GLOBAL \name
        .endm
        .macro END name
        .cfi_endproc
        .size \name, . - \name
        .endm

/* From a fiber to the C stack. %rsp is at the address to return to. Loses %r11; %r15 is free until TO_OCAML. */
        .macro TO_C
        movq    %r15, STATE(YOUNG_PTR)
        movq    STATE(C_STACK), %r11
        movq    STATE(CURRENT_STACK), %r15
        movq    %rsp, STACK_SP(%r15)
        movq    %rsp, LINK_SP(%r11)
        movq    %r15, LINK_STACK(%r11)
        movq    %r11, %rsp
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rsp, LINK_SP, DW_OP_deref, DW_OP_plus_uconst, 8
        .endm

/* And back. %rsp is at the link. */
        .macro TO_OCAML
        movq    LINK_SP(%rsp), %rsp
        .cfi_def_cfa %rsp, 8
        movq    STATE(YOUNG_PTR), %r15
        .endm

/* Between the two: all registers that OCaml code may use, where the collector finds them. */
        .macro SAVE_REGS
        subq    $SAVED_SIZE, %rsp
        /* SAVED_SIZE + LINK_SP = 248 in LEB128 */
        .cfi_escape DW_CFA_def_cfa_expression, 6, DW_OP_breg_rsp, 0xf8, 0x01, DW_OP_deref, DW_OP_plus_uconst, 8
        movq    %rax, 0*8(%rsp)
        movq    %rbx, 1*8(%rsp)
        movq    %rdi, 2*8(%rsp)
        movq    %rsi, 3*8(%rsp)
        movq    %rdx, 4*8(%rsp)
        movq    %rcx, 5*8(%rsp)
        movq    %r8, 6*8(%rsp)
        movq    %r9, 7*8(%rsp)
        movq    %r12, 8*8(%rsp)
        movq    %r13, 9*8(%rsp)
        movq    %r10, 10*8(%rsp)
        movq    %rbp, 12*8(%rsp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movsd   %xmm\n, (SAVED_INT_REGS + \n)*8(%rsp)
        .endr
        movq    %rsp, STATE(GC_REGS)
        .endm

        .macro RESTORE_REGS
        movq    0*8(%rsp), %rax
        movq    1*8(%rsp), %rbx
        movq    2*8(%rsp), %rdi
        movq    3*8(%rsp), %rsi
        movq    4*8(%rsp), %rdx
        movq    5*8(%rsp), %rcx
        movq    6*8(%rsp), %r8
        movq    7*8(%rsp), %r9
        movq    8*8(%rsp), %r12
        movq    9*8(%rsp), %r13
        movq    10*8(%rsp), %r10
        movq    12*8(%rsp), %rbp
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movsd   (SAVED_INT_REGS + \n)*8(%rsp), %xmm\n
        .endr
        addq    $SAVED_SIZE, %rsp
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rsp, LINK_SP, DW_OP_deref, DW_OP_plus_uconst, 8
        .endm

/* Calls a C function that neither collects nor raises, from a fiber; the fiber does not move. Loses
 * what C functions lose, and %r13. */
        .macro CALL_LEAF function
        movq    %rsp, %r13
        .cfi_remember_state
        .cfi_def_cfa_register %r13
        movq    STATE(C_STACK), %rsp
        call    \function
        movq    %r13, %rsp
        .cfi_restore_state
        .endm

        .text
        .globl  caml_hot.code_begin, caml_hot.code_end, caml_system__code_begin
caml_hot.code_begin:
caml_hot.code_end:
caml_system__code_begin:
        ret     /* a byte of its own: else debuggers name the next function so */

/* ---- Allocation ---- */

/* OCaml code found young_ptr below young_limit: after it has moved young_ptr down by the words of
 * the blocks to make, or at a poll. The frame descriptor of the address it returns to says which. Keeps all registers but
 * %r11. May collect, run signal handlers and finalisers, and raise. */
        GLOBAL  caml_call_gc
        TO_C
        SAVE_REGS
        call    native_allocate
        RESTORE_REGS
        TO_OCAML
        ret
        END     caml_call_gc

/* Code that is to be small calls these in place of doing it inline: blocks of 1, 2, 3 fields; any size, with
 * young_ptr moved down by the caller. As caml_call_gc, whose caller is then ours. */
        .macro  ALLOCATE name, bytes
        GLOBAL  \name
        .if     \bytes
        subq    $\bytes, %r15
        .endif
        cmpq    STATE(YOUNG_LIMIT), %r15
        jb      caml_call_gc
        ret
        END     \name
        .endm
        ALLOCATE caml_alloc1, 16
        ALLOCATE caml_alloc2, 24
        ALLOCATE caml_alloc3, 32
        ALLOCATE caml_allocN, 0

/* A function's prologue found that its frame does not fit. On the stack, above the address to return to: the words that it
 * wants; its arguments are in registers, all are kept but %r11. Moves the fiber; does not collect. Raises Stack_overflow
 * as if by the caller of that function, whose frame is not there yet. */
        GLOBAL  caml_call_realloc_stack
        TO_C
        SAVE_REGS
        movq    STATE(CURRENT_STACK), %rdi
        movq    STACK_SP(%rdi), %rdi
        movq    8(%rdi), %rdi
        call    native_grow_stack
        testb   %al, %al
        jz      1f
        .cfi_remember_state
        RESTORE_REGS
        TO_OCAML
        ret
1:      .cfi_restore_state
        addq    $SAVED_SIZE, %rsp
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rsp, LINK_SP, DW_OP_deref, DW_OP_plus_uconst, 8
        TO_OCAML
        addq    $16, %rsp
        movq    caml_exn_Stack_overflow@GOTPCREL(%rip), %rax
        jmp     caml_raise_exn
        END     caml_call_realloc_stack

/* ---- C functions ---- */

/* %rax: a C function, its arguments in the registers of C's convention. Saves young_ptr; no register is expected to
 * be kept. May do all that C code may. */
        GLOBAL  caml_c_call
        TO_C
        call    *%rax
        TO_OCAML
        ret
        END     caml_c_call

/* The same with further arguments in the words from %r13 to %r12 of the fiber, which are copied to the C stack: an
 * even number, so that it stays aligned. */
        GLOBAL  caml_c_call_stack_args
        TO_C
        movq    %rsp, %rbx
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rbx, LINK_SP, DW_OP_deref, DW_OP_plus_uconst, 8
1:      cmpq    %r13, %r12
        je      2f
        subq    $8, %r12
        pushq   (%r12)
        jmp     1b
2:      call    *%rax
        movq    %rbx, %rsp
        TO_OCAML
        ret
        END     caml_c_call_stack_args

/* ---- From C to OCaml ---- */

/* value caml_start_program(caml_domain_state *) runs the program's entry point. The three after it apply a
 * closure: value f(caml_domain_state *, value closure, value *arguments). The result, or an exception
 * marked by bit 1. The fiber must have room (callback.c). Saves C's registers on the C stack and what the collector needs of the
 * interrupted OCaml code (gc_regs) in the chunk. */
        .set    FROM_C_SIZE, 6*8 + 8    /* with the return address */
        .macro  FROM_C
        .irp    r, rbx, rbp, r12, r13, r14, r15
        pushq   %\r
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %\r, 0
        .endr
        .endm

        HIDDEN  caml_callback_asm
        FROM_C
        movq    %rdi, %r14
        movq    %rsi, %rbx
        movq    0(%rdx), %rax
        movq    0(%rbx), %r12
        jmp     run_ocaml
        END     caml_callback_asm

        HIDDEN  caml_callback2_asm
        FROM_C
        movq    %rdi, %r14
        movq    0(%rdx), %rax
        movq    8(%rdx), %rbx
        movq    %rsi, %rdi
        movq    caml_apply2@GOTPCREL(%rip), %r12
        jmp     run_ocaml
        END     caml_callback2_asm

        HIDDEN  caml_callback3_asm
        FROM_C
        movq    %rdi, %r14
        movq    0(%rdx), %rax
        movq    8(%rdx), %rbx
        movq    16(%rdx), %rdi
        movq    caml_apply3@GOTPCREL(%rip), %r12
        jmp     run_ocaml
        END     caml_callback3_asm

        GLOBAL  caml_start_program
        FROM_C
        movq    %rdi, %r14
        movq    caml_program@GOTPCREL(%rip), %r12
/* %r14: the state; %r12: the code; its arguments in %rax, %rbx, %rdi, %rsi */
run_ocaml:
        subq    $LINK_SIZE, %rsp
        .cfi_adjust_cfa_offset LINK_SIZE
        movq    STATE(C_STACK), %r10
        movq    %r10, LINK_PREV(%rsp)
        movq    $0, LINK_STACK(%rsp)
        movq    %rsp, STATE(C_STACK)
        movq    STATE(YOUNG_PTR), %r15
        /* the chunk */
        movq    STATE(CURRENT_STACK), %r10
        movq    STACK_SP(%r10), %r10
        subq    $CHUNK_SIZE, %r10
        movq    STATE(EXN_HANDLER), %r11
        movq    %r11, CHUNK_TRAP(%r10)
        leaq    chunk_trap(%rip), %r11
        movq    %r11, CHUNK_TRAP + 8(%r10)
        movq    %rsp, CHUNK_LINK(%r10)
        movq    STATE(GC_REGS), %r11
        movq    %r11, CHUNK_REGS(%r10)
        movq    %r10, STATE(EXN_HANDLER)
        movq    %r10, %rsp
        .cfi_remember_state
        /* the C function's frame begins above the link and the saved registers */
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rsp, CHUNK_LINK, DW_OP_deref, \
                    DW_OP_plus_uconst, LINK_SIZE + FROM_C_SIZE
        call    *%r12
chunk_return:
        popq    STATE(EXN_HANDLER)
        addq    $8, %rsp
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rsp, CHUNK_LINK - 16, DW_OP_deref, \
                    DW_OP_plus_uconst, LINK_SIZE + FROM_C_SIZE
        /* also where exceptions come to, with their two words taken off */
leave_ocaml:
        popq    %r10
        popq    STATE(GC_REGS)
        movq    STATE(CURRENT_STACK), %r11
        movq    %rsp, STACK_SP(%r11)
        movq    %r15, STATE(YOUNG_PTR)
        movq    %r10, %rsp
        .cfi_restore_state
        movq    LINK_PREV(%rsp), %r10
        movq    %r10, STATE(C_STACK)
        addq    $LINK_SIZE, %rsp
        .cfi_adjust_cfa_offset -LINK_SIZE
        .irp    r, r15, r14, r13, r12, rbp, rbx
        popq    %\r
        .cfi_adjust_cfa_offset -8
        .cfi_same_value %\r
        .endr
        ret
        END     caml_start_program

chunk_trap:
        orq     $2, %rax
        jmp     leave_ocaml

/* An OCaml function returns into a frame that a return barrier guards (walk.c): with its result, and no other register
 * that anybody wants. For who unwinds, this is a frame of no size, whose caller is barrier_return of the domain's own
 * fiber: the last of the chain that begins with the running one. */
        HIDDEN  native_return_barrier
        .cfi_def_cfa %rsp, 0
        .cfi_escape DW_CFA_expression, DW_RIP, 28, \
                    DW_OP_breg_r14, STATE_CURRENT_STACK, DW_OP_deref, DW_OP_plus_uconst, STACK_TOP, DW_OP_deref, \
                    DW_OP_dup, DW_OP_plus_uconst, TOP_PARENT, DW_OP_deref, DW_OP_dup, DW_OP_bra, 4, 0, \
                    DW_OP_drop, DW_OP_skip, 8, 0, \
                    DW_OP_swap, DW_OP_drop, DW_OP_plus_uconst, STACK_TOP, DW_OP_deref, DW_OP_skip, 0xec, 0xff, \
                    DW_OP_plus_uconst, TOP_BARRIER_RETURN
        movq    %rsp, %r13
        .cfi_def_cfa_register %r13
        movq    STATE(C_STACK), %rsp
        subq    $16, %rsp
        movq    %rax, (%rsp)
        movsd   %xmm0, 8(%rsp)
        movq    %r13, %rdi
        call    native_barrier_reached
        movq    %rax, %r11
        movq    (%rsp), %rax
        movsd   8(%rsp), %xmm0
        movq    %r13, %rsp
        jmp     *%r11
        END     native_return_barrier

/* ---- Exceptions ---- */

        .macro  THROW
        movq    STATE(EXN_HANDLER), %rsp
        popq    STATE(EXN_HANDLER)
        popq    %r11
        jmp     *%r11
        .endm

/* %rax: the exception, which is handed to the innermost handler. Does not collect. Where backtraces are wanted, the frames from
 * here to the handler are recorded first; a reraise goes on with the record of the same exception. */
        GLOBAL  caml_raise_exn
        cmpq    $0, STATE(BACKTRACE_ACTIVE)
        jne     1f
        THROW
1:      movq    $0, STATE(BACKTRACE_POS)
record:
        movq    %rax, %r12
        movq    %rax, %rdi
        leaq    8(%rsp), %rsi
        movq    STATE(EXN_HANDLER), %rdx
        CALL_LEAF native_record_backtrace
        movq    %r12, %rax
        THROW
        END     caml_raise_exn

        GLOBAL  caml_reraise_exn
        cmpq    $0, STATE(BACKTRACE_ACTIVE)
        jne     record
        THROW
        END     caml_reraise_exn

/* void caml_raise_exception(caml_domain_state *, value exn), from C that OCaml code called: leaves all C frames up to
 * it. The record begins anew, with the OCaml frame that made the call. */
        GLOBAL  caml_raise_exception
        movq    %rdi, %r14
        movq    %rsi, %rax
        movq    STATE(YOUNG_PTR), %r15
        movq    STATE(C_STACK), %r10
        movq    LINK_SP(%r10), %rsp
        jmp     caml_raise_exn
        END     caml_raise_exception

/* An index out of bounds. Code without debugging information has no frame descriptor here, so nothing may be
 * allocated: the exception is a constant. */
        GLOBAL  caml_ml_array_bound_error
        leaq    native_bound_error + 8(%rip), %rax
        jmp     caml_raise_exn
        END     caml_ml_array_bound_error

/* Compilers of the variant "d" call it in each prologue; ours is not named so. Loses %r10, %r11. */
        GLOBAL  caml_assert_stack_invariants
        ret
        END     caml_assert_stack_invariants

/* ---- Effects ---- */

/* Leaves the fiber \from, to return to (%rsp). Loses %r11. */
        .macro  SUSPEND from
        movq    %rsp, STACK_SP(\from)
        movq    STATE(EXN_HANDLER), %r11
        movq    %r11, STACK_EXN(\from)
        .endm
        .macro  ACTIVATE to
        movq    \to, STATE(CURRENT_STACK)
        movq    STACK_EXN(\to), %r11
        movq    %r11, STATE(EXN_HANDLER)
        movq    STACK_SP(\to), %rsp
        .endm
/* \parent := the fiber to which \fiber hands an effect; goes to \none if there is none: it is a domain's own, or C code that
 * called OCaml lies between. %r11 := \fiber's top. */
        .macro  HANDLER_OF fiber, parent, none
        movq    STACK_TOP(\fiber), %r11
        movq    TOP_PARENT(%r11), \parent
        testq   \parent, \parent
        je      \none
        cmpl    $0, STACK_CALLBACKS(\fiber)
        jne     \none
        .endm

/* Goes to \old if the continuation block in %rbx is not young. */
        .macro  UNLESS_YOUNG old
        cmpq    STATE(YOUNG_START), %rbx
        jb      \old
        cmpq    STATE(YOUNG_END), %rbx
        jae     \old
        .endm

/* Replaces the continuation block in %rbx, which is no longer young, by a new one (EFFECT-1), which may collect; keeps the
 * effect in %rax, and %rdi, an integer. */
        .macro  RENEW
        TO_C
        subq    $32, %rsp
        .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg_rsp, LINK_SP + 32, DW_OP_deref, DW_OP_plus_uconst, 8
        movq    %rax, 0(%rsp)
        movq    %rbx, 8(%rsp)
        movq    %rdi, 16(%rsp)
        movq    %rsp, %rdi
        call    native_renew_continuation
        movq    0(%rsp), %rax
        movq    8(%rsp), %rbx
        movq    16(%rsp), %rdi
        addq    $32, %rsp
        TO_OCAML
        .endm

/* %rax: an effect; %rbx: an empty continuation block. Runs the handler's effect function (effect, continuation, last fiber) on
 * the parent. The block was allocated before the effect was computed, and need not be young: may collect then. Where nobody
 * handles the effect, raises Effect.Unhandled. */
        GLOBAL  caml_perform
        movq    STATE(CURRENT_STACK), %rsi
        HANDLER_OF %rsi, %r10, unhandled
        UNLESS_YOUNG perform_renew
        /* gc_note_continuation */
        movq    STATE(DOMAIN), %rdx
        movq    STACK_NOTE_PLACE(%rsi), %r12
        movq    DOMAIN_YOUNG_LIST(%rdx), %rdx
        cmpq    STACK_NOTE_LIST(%rsi), %rdx
        jne     note_first
        movq    %rbx, (%r12)
noted:
        leaq    1(%rsi), %rdi
        movq    %rdi, 0(%rbx)
/* %rax: the effect; %rbx: its continuation; %rsi: the fiber to leave, the last of the chain; %rdi: the same as an integer;
 * %r10: its parent; %r11: its top */
hand_over:
        movq    %rdi, 8(%rbx)
        movq    STATE(EXN_HANDLER), %r12
        movq    %rsp, STACK_SP(%rsi)
        movq    %r12, STACK_EXN(%rsi)
        movq    STACK_EXN(%r10), %r12
        movq    %r10, STATE(CURRENT_STACK)
        movq    STACK_SP(%r10), %rsp
        movq    %r12, STATE(EXN_HANDLER)
        movq    $0, TOP_PARENT(%r11)
        movq    TOP_EFFECT(%r11), %rsi
        jmp     caml_apply3@PLT
perform_renew:
        RENEW
        jmp     running_again
note_first:
        movq    %rax, %r12
        movq    %rbx, %rdi
        CALL_LEAF native_note_continuation
        movq    %r12, %rax
running_again:
        movq    STATE(CURRENT_STACK), %rsi
        movq    STACK_TOP(%rsi), %r11
        movq    TOP_PARENT(%r11), %r10
        jmp     noted
unhandled:
        movq    %rax, %rdi
        leaq    native_raise_unhandled(%rip), %rax
        jmp     caml_c_call
        END     caml_perform

/* %rax: an effect that this fiber's handler does not know; %rbx: its continuation; %rdi: the last fiber of its chain, a tagged
 * address. The fiber joins the chain, and its parent is asked. May collect where the block is no longer young. */
        GLOBAL  caml_reperform
        UNLESS_YOUNG reperform_renew
1:      movq    STATE(CURRENT_STACK), %rsi
        movq    STACK_TOP - 1(%rdi), %r11
        movq    %rsi, TOP_PARENT(%r11)
        HANDLER_OF %rsi, %r10, 3f
        leaq    1(%rsi), %rdi
        jmp     hand_over
reperform_renew:
        RENEW
        jmp     1b
        /* back to the fiber that performed: the exception is raised there */
3:      SUSPEND %rsi
        movq    %rax, %r12
        movq    %rbx, %rdi
        CALL_LEAF caml_continuation_use_noexc@PLT
        leaq    -1(%rax), %r10
        movq    %r12, %rax
        ACTIVATE %r10
        jmp     unhandled
        END     caml_reperform

/* %rax: the first fiber of a suspended chain, a tagged address, or a tagged null; %rbx, %rdi: a closure and the argument to
 * apply it to there; %rsi: the last fiber of the chain, tagged, whose parent the current one becomes. Does not collect, but
 * to raise Continuation_already_resumed. */
        GLOBAL  caml_resume
        cmpq    $1, %rax
        je      1f
        movq    STATE(CURRENT_STACK), %r10
        movq    STACK_TOP - 1(%rsi), %r11
        movq    %r10, TOP_PARENT(%r11)
        SUSPEND %r10
        leaq    -1(%rax), %r10
        movq    %rdi, %rax
        ACTIVATE %r10
        jmp     *(%rbx)
1:      leaq    native_raise_already_resumed(%rip), %rax
        jmp     caml_c_call
        END     caml_resume

/* %rax: a new fiber, tagged; %rbx, %rdi: a closure and its argument, run there. What it returns or raises goes to the fiber's
 * value or exception function, on the fiber that called, when the new one has been freed. Does not collect itself. */
        GLOBAL  caml_runstack
        decq    %rax
        movq    STATE(CURRENT_STACK), %r10
        SUSPEND %r10
        movq    STACK_TOP(%rax), %r11
        movq    %r10, TOP_PARENT(%r11)
        movq    %rax, STATE(CURRENT_STACK)
        subq    $CHUNK_SIZE, %r11
        movq    $0, CHUNK_TRAP(%r11)
        leaq    fiber_trap(%rip), %r10
        movq    %r10, CHUNK_TRAP + 8(%r11)
        movq    $0, CHUNK_LINK(%r11)
        movq    $0, CHUNK_REGS(%r11)
        movq    %r11, STATE(EXN_HANDLER)
        movq    %r11, %rsp
        .cfi_remember_state
        .cfi_escape DW_CFA_def_cfa_expression, 8, DW_OP_breg_rsp, CHUNK_SIZE + TOP_PARENT, DW_OP_deref, \
                    DW_OP_plus_uconst, STACK_SP, DW_OP_deref, DW_OP_plus_uconst, 8
        movq    %rdi, %rax
        call    *(%rbx)
fiber_return:
        leaq    CHUNK_SIZE(%rsp), %r11
        movq    TOP_VALUE(%r11), %rbx
        /* %r11: the fiber's top; %rbx: the closure for %rax */
fiber_end:
        movq    STATE(CURRENT_STACK), %rdi
        movq    TOP_PARENT(%r11), %r10
        ACTIVATE %r10
        .cfi_restore_state
        movq    %rax, %r12
        CALL_LEAF native_fiber_done
        movq    %r12, %rax
        jmp     *(%rbx)
        END     caml_runstack

fiber_trap:
        leaq    CHUNK_SIZE - 16(%rsp), %r11
        movq    TOP_EXN(%r11), %rbx
        jmp     fiber_end

        .globl  caml_system__code_end
caml_system__code_end:

/* ---- Data ---- */

/* The frames above: of a size that no function has, so that walking takes them for the ends of chunks. */
        .data
        .globl  caml_system.frametable
        .type   caml_system.frametable, @object
        .p2align 3
caml_system.frametable:
        .quad   2
        .quad   chunk_return
        .short  -1, 0
        .p2align 3
        .quad   fiber_return
        .short  -1, 0
        .p2align 3
        .size   caml_system.frametable, . - caml_system.frametable

        .section .rodata.cst16, "aM", @progbits, 16
        .globl  caml_negf_mask, caml_absf_mask
        .type   caml_negf_mask, @object
        .type   caml_absf_mask, @object
        .size   caml_negf_mask, 16
        .size   caml_absf_mask, 16
        .p2align 4
caml_negf_mask:
        .quad   0x8000000000000000, 0
        .p2align 4
caml_absf_mask:
        .quad   0x7fffffffffffffff, -1

        .section .note.GNU-stack, "", @progbits
