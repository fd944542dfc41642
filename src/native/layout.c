/* SPDX-License-Identifier: MIT */
/* The offsets that the assembly file uses, against the structures. No code. */
#include "native/stack.h"

#if defined(__x86_64__)
#include "native/amd64.h"
#endif

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)

AT(caml_domain_state, young_limit, STATE_YOUNG_LIMIT);
AT(caml_domain_state, young_ptr, STATE_YOUNG_PTR);
AT(caml_domain_state, young_start, STATE_YOUNG_START);
AT(caml_domain_state, young_end, STATE_YOUNG_END);
AT(caml_domain_state, current_stack, STATE_CURRENT_STACK);
AT(caml_domain_state, exn_handler, STATE_EXN_HANDLER);
AT(caml_domain_state, c_stack, STATE_C_STACK);
AT(caml_domain_state, gc_regs, STATE_GC_REGS);
AT(caml_domain_state, domain, STATE_DOMAIN);
AT(struct domain, young_list, DOMAIN_YOUNG_LIST);
AT(caml_domain_state, backtrace_pos, STATE_BACKTRACE_POS);
AT(caml_domain_state, backtrace_active, STATE_BACKTRACE_ACTIVE);

AT(struct stack_info, sp, STACK_SP);
AT(struct stack_info, exn, STACK_EXN);
AT(struct stack_info, top, STACK_TOP);
AT(struct stack_info, callbacks, STACK_CALLBACKS);
_Static_assert(sizeof(((struct stack_info *)0)->callbacks) == 4, "compared by a 32-bit instruction");
AT(struct stack_info, note.list, STACK_NOTE_LIST);
AT(struct stack_info, note.place, STACK_NOTE_PLACE);
_Static_assert(sizeof(struct stack_info) <= STACK_INFO_WORDS * sizeof(value), "prologues leave room for stack_info");

AT(struct stack_top, handlers[HANDLE_VALUE], TOP_VALUE);
AT(struct stack_top, handlers[HANDLE_EXN], TOP_EXN);
AT(struct stack_top, handlers[HANDLE_EFFECT], TOP_EFFECT);
AT(struct stack_top, parent, TOP_PARENT);
AT(struct stack_top, barrier_return, TOP_BARRIER_RETURN);
_Static_assert(sizeof(struct stack_top) % 16 == 0, "the first frame is aligned");

AT(struct c_stack_link, stack, LINK_STACK);
AT(struct c_stack_link, sp, LINK_SP);
AT(struct c_stack_link, prev, LINK_PREV);
_Static_assert(sizeof(struct c_stack_link) == LINK_SIZE, "struct c_stack_link");

AT(struct stack_chunk, trap, CHUNK_TRAP);
AT(struct stack_chunk, link, CHUNK_LINK);
AT(struct stack_chunk, regs, CHUNK_REGS);
_Static_assert(sizeof(struct stack_chunk) == CHUNK_SIZE, "struct stack_chunk");

_Static_assert(SAVED_SIZE >= (SAVED_INT_REGS + SAVED_FLOAT_REGS) * sizeof(value) && SAVED_SIZE % 16 == 0,
               "room for the registers");
