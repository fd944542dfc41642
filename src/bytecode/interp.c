/* SPDX-License-Identifier: MIT */
/* The interpreter loop: the abstract machine that OCaml's bytecode is for.
 *
 * The machine has an accumulator, a stack (bytecode/fiber.h), the environment
 * of the running closure, the code pointer, and the number of extra arguments: those
 * that the caller of the running function passed beyond the first, so that a function
 * of fewer parameters applies its result to the rest. What each instruction does
 * is told by bytecomp/bytegen.ml; here each is a label that ends in a jump to
 * the next one. The code words hold distances from one label (interp_thread_code), so
 * a jump is one load, one addition and one indirect branch.
 *
 * The loop is one function, so that the machine's registers are registers.
 * It contains no setjmp for the same reason: activation_run has it, and enters the loop anew after
 * an exception from C.
 *
 * INTERP-1  While anything may collect, all values that the loop still needs are on the
 *           fiber's stack above its saved sp: SAVE_ALL or SAVE_FOR_C before, LOAD_ after.
 * INTERP-2  A stack pointer in a register is stale after any call that may
 *           run OCaml code or grow the stack; sp is reloaded from the fiber.
 * INTERP-3  [fiber] is Caml_state->current_stack at each instruction. C code
 *           leaves it as it was.
 * INTERP-4  A safepoint (interrupt test) stands at every function entry, at CHECK_SIGNALS, at POPTRAP
 *           and at every allocation.
 *
 * No state. The loop's code words come from thread.c. Design page:
 * docs/design/interpreter.md. */
#if defined(__GNUC__) && !defined(__clang__)
/* gcc joins the stores of a frame's words in a vector register, and makes calls of the C library out of loops over a few words:
 * each costs more than the stores. */
#pragma GCC optimize("no-tree-slp-vectorize", "no-tree-loop-distribute-patterns")
#endif

#include "bytecode/activation.h"
#include "bytecode/bytecode.h"
#include "bytecode/debugger.h"
#include "bytecode/inlined.h"
#include "bytecode/instructions.h"
#include "bytecode/labels.h"
#include "prims/continuation.h"
#include "prims/io.h"
#include "prims/memprof.h"
#include "prims/method.h"
#include "sync/atomic.h"

/* ---- Called out of the loop ---- */

/* Collector's requests, and then actions if there are any. Val_unit or an
 * exception result. */
static NOINLINE value interp_poll(caml_domain_state *st)
{
  if (domain_has_interrupts(st->domain) && gc_poll(st->domain)) return actions_run_exn();
  return Val_unit;
}

/* The registers are saved here rather than in the loop, which has this call in many places. */
static NOINLINE value interp_refill(caml_domain_state *st, value *sp, value acc, value env, code_t next, mlsize_t whsize)
{
  sp[-3] = acc;
  sp[-2] = env;
  sp[-1] = (value)next;
  st->current_stack->sp = sp - 3;
  value result = interp_poll(st);
  if (Is_exception_result(result)) return result;
  return memprof_nursery_alloc_exn(st->domain, whsize);
}

/* A block too big for the nursery, of the accumulator that SAVE_ALL pushed and the
 * values above what it pushed. */
static NOINLINE value interp_big_block(const value *saved, mlsize_t wosize, tag_t tag)
{
  value block = caml_alloc_shr(wosize, tag);
  caml_initialize(&Field(block, 0), saved[0]);
  for (mlsize_t i = 1; i < wosize; i++) caml_initialize(&Field(block, i), saved[2 + i]);
  return block;
}

static NOINLINE value interp_big_closure(mlsize_t wosize, mlsize_t start_env, const value *captured)
{
  value block = caml_alloc_shr(wosize, Closure_tag);
  for (mlsize_t i = 0; i < start_env; i++) Field(block, i) = Val_unit;
  for (mlsize_t i = start_env; i < wosize; i++)
    caml_initialize(&Field(block, i), captured[i - start_env]);
  return block;
}

/* The functions' part of a block of mutually recursive closures; the addresses
 * of the closures are pushed. Answers the new sp. */
static value *interp_fill_closures(value block, code_t labels, mlsize_t functions, value *sp)
{
  mlsize_t env = functions * 3 - 1;
  for (mlsize_t i = 0; i < functions; i++) {
    value *f = &Field(block, 3 * i);
    if (i > 0) f[-1] = (value)Make_header(3 * i, Infix_tag, 0);
    f[0] = (value)(labels + labels[i]);
    f[1] = Make_closinfo(0, env - 3 * i);
    *--sp = (value)f;
  }
  return sp;
}

/* ---- The loop ---- */

#define NEXT goto *(void *)(label_base + *pc++)
#define OP(name) op_##name
#define PLAIN(name) OP(name) : DO_##name; NEXT;

/* INTERP-1. A collection in between changes acc and env. */
#define SAVE_ALL_AT(next)                                                       \
  do {                                                                          \
    sp -= 3;                                                                    \
    sp[0] = acc;                                                                \
    sp[1] = env;                                                                \
    sp[2] = (value)(next);                                                      \
    fiber->sp = sp;                                                             \
  } while (0)
#define SAVE_ALL SAVE_ALL_AT(pc)
#define LOAD_ALL (sp = fiber->sp + 3, acc = sp[-3], env = sp[-2])

/* Sets [block] to a nursery block with its header. [rest]: operands from pc to the next
 * instruction, whose address is what a callstack shows. */
#define ALLOC(block, wosize, tag, rest)                                         \
  do {                                                                          \
    mlsize_t wosize_ = (wosize);                                                \
    value *at_ = st->young_ptr - wosize_ - 1;                                   \
    if (unlikely(AS_UNSIGNED(at_) < load_relaxed(&st->young_limit))) {          \
      value result_ = interp_refill(st, sp, acc, env, pc + (rest), wosize_ + 1); \
      LOAD_ALL;                                                                 \
      if (Is_exception_result(result_)) {                                       \
        acc = Extract_exception(result_);                                       \
        goto raise_async;                                                       \
      }                                                                         \
      at_ = st->young_ptr;                                                      \
    }                                                                           \
    st->young_ptr = at_;                                                        \
    *at_ = (value)Make_header(wosize_, (tag), 0);                               \
    block = Val_hp(at_);                                                        \
  } while (0)

#define SWITCH_FIBER(to)                                                        \
  do {                                                                          \
    fiber->sp = sp;                                                             \
    st->current_stack = fiber = (to);                                           \
    sp = fiber->sp;                                                             \
  } while (0)

/* Applies function to argument on the chain from first to last, which gets
 * this fiber as its parent. */
#define RESUME_CHAIN(extra_)                                                    \
  do {                                                                          \
    if (!last) last = first;                                                    \
    last->parent = fiber;                                                       \
    last->parent_extra = (extra_);                                              \
    SWITCH_FIBER(first);                                                        \
    *--sp = argument;                                                           \
    acc = function;                                                             \
    extra = Val_int(0);                                                         \
    ENTER;                                                                      \
  } while (0)

/* A frame as debugger.h has it; then what stood here is done. */
#define STOPS(name, stop)                                                       \
  OP(name) :                                                                    \
  {                                                                             \
    PUSH_FRAME(pc - 1, env, extra);                                             \
    *--sp = acc;                                                                \
    fiber->sp = sp;                                                             \
    opcode_t original = stop(pc - 1);                                           \
    sp = fiber->sp + 4;                                                         \
    acc = sp[-4];                                                               \
    env = sp[-2];                                                               \
    goto *(void *)(label_base + original);                                      \
  }

typedef value (*prim1)(value);
typedef value (*prim2)(value, value);
typedef value (*prim3)(value, value, value);
typedef value (*prim4)(value, value, value, value);
typedef value (*prim5)(value, value, value, value, value);
typedef value (*primN)(value *, int);

/* Runs from pc, or where pc is NULL raises act->exn, until the activation ends. With no
 * activation it only answers the address of its labels' table. */
static NOINLINE value interp_loop(caml_domain_state *st, struct exception_context *act, code_t pc,
                                  value env, value extra)
{
  static const int32_t labels[LABELS] = {
#define OPCODE(name, shape) &&op_##name - &&op_ACC0,
#include "abi/5.3/opcodes.tbl"
#undef OPCODE
      &&op_FIBER_RETURN - &&op_ACC0,
#define INLINED_PRIMITIVE(name, args) &&op_##name - &&op_ACC0,
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE
#define SEQUENCE(name, ...) &&op_##name - &&op_ACC0,
#include "bytecode/each_sequence.tbl"
  };
  if (!act) return (value)labels;
  char *const label_base = &&op_ACC0;
  struct stack_info *fiber = st->current_stack;
  value *sp = fiber->sp;
  value acc = Val_unit;
  if (!pc) {
    acc = act->exn;
    goto raise_from_c;
  }
  NEXT;

  /* The short ones, whose bodies are in instructions.h, inlined primitives, and sequences. */
  PLAIN(ACC0) PLAIN(ACC1) PLAIN(ACC2) PLAIN(ACC3) PLAIN(ACC4) PLAIN(ACC5) PLAIN(ACC6)
  PLAIN(ACC7) PLAIN(ACC) PLAIN(PUSH) PLAIN(PUSHACC0) PLAIN(PUSHACC1) PLAIN(PUSHACC2)
  PLAIN(PUSHACC3) PLAIN(PUSHACC4) PLAIN(PUSHACC5) PLAIN(PUSHACC6) PLAIN(PUSHACC7) PLAIN(PUSHACC)
  PLAIN(POP) PLAIN(ASSIGN) PLAIN(ENVACC1) PLAIN(ENVACC2) PLAIN(ENVACC3) PLAIN(ENVACC4)
  PLAIN(ENVACC) PLAIN(PUSHENVACC1) PLAIN(PUSHENVACC2) PLAIN(PUSHENVACC3) PLAIN(PUSHENVACC4)
  PLAIN(PUSHENVACC) PLAIN(OFFSETCLOSUREM3) PLAIN(OFFSETCLOSURE0) PLAIN(OFFSETCLOSURE3)
  PLAIN(OFFSETCLOSURE) PLAIN(PUSHOFFSETCLOSUREM3) PLAIN(PUSHOFFSETCLOSURE0)
  PLAIN(PUSHOFFSETCLOSURE3) PLAIN(PUSHOFFSETCLOSURE) PLAIN(GETGLOBAL) PLAIN(PUSHGETGLOBAL)
  PLAIN(GETGLOBALFIELD) PLAIN(PUSHGETGLOBALFIELD) PLAIN(CONST0) PLAIN(CONST1) PLAIN(CONST2)
  PLAIN(CONST3) PLAIN(CONSTINT) PLAIN(PUSHCONST0) PLAIN(PUSHCONST1) PLAIN(PUSHCONST2)
  PLAIN(PUSHCONST3) PLAIN(PUSHCONSTINT) PLAIN(ATOM0) PLAIN(ATOM) PLAIN(PUSHATOM0)
  PLAIN(PUSHATOM) PLAIN(APPLY1) PLAIN(APPLY2) PLAIN(APPLY3) PLAIN(APPTERM1) PLAIN(APPTERM2)
  PLAIN(APPTERM3) PLAIN(RETURN) PLAIN(GRAB) PLAIN(GETFIELD0) PLAIN(GETFIELD1) PLAIN(GETFIELD2)
  PLAIN(GETFIELD3) PLAIN(GETFIELD) PLAIN(SETFIELD0) PLAIN(SETFIELD1) PLAIN(SETFIELD2)
  PLAIN(SETFIELD3) PLAIN(SETFIELD) PLAIN(VECTLENGTH) PLAIN(GETVECTITEM) PLAIN(GETBYTESCHAR)
  PLAIN(GETSTRINGCHAR) PLAIN(BRANCH) PLAIN(BRANCHIF) PLAIN(BRANCHIFNOT) PLAIN(SWITCH)
  PLAIN(BOOLNOT) PLAIN(CHECK_SIGNALS) PLAIN(C_CALL1) PLAIN(C_CALL2) PLAIN(C_CALL3)
  PLAIN(C_CALL4) PLAIN(C_CALL5) PLAIN(NEGINT) PLAIN(ADDINT) PLAIN(SUBINT) PLAIN(MULINT)
  PLAIN(ANDINT) PLAIN(ORINT) PLAIN(XORINT) PLAIN(LSLINT) PLAIN(LSRINT) PLAIN(ASRINT) PLAIN(EQ)
  PLAIN(NEQ) PLAIN(LTINT) PLAIN(LEINT) PLAIN(GTINT) PLAIN(GEINT) PLAIN(ULTINT) PLAIN(UGEINT)
  PLAIN(BEQ) PLAIN(BNEQ) PLAIN(BLTINT) PLAIN(BLEINT) PLAIN(BGTINT) PLAIN(BGEINT) PLAIN(BULTINT)
  PLAIN(BUGEINT) PLAIN(OFFSETINT) PLAIN(ISINT) PLAIN(PUSH_RETADDR) PLAIN(MAKEBLOCK1)
  PLAIN(MAKEBLOCK2) PLAIN(MAKEBLOCK3) PLAIN(SETVECTITEM) PLAIN(SETBYTESCHAR) PLAIN(PUSHTRAP)
  PLAIN(POPTRAP) PLAIN(DIVINT) PLAIN(MODINT) PLAIN(OFFSETREF) PLAIN(GETMETHOD) PLAIN(GETPUBMET)
#define INLINED_PRIMITIVE(name, args) PLAIN(name)
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE
#define AND_THEN(name) pc++; /* its opcode word */ DO_##name;
#define SEQ2(a, b) op_##a##_##b : DO_##a; AND_THEN(b) NEXT;
#define SEQ3(a, b, c) op_##a##_##b##_##c : DO_##a; AND_THEN(b) AND_THEN(c) NEXT;
#define SEQ4(a, b, c, d) op_##a##_##b##_##c##_##d : DO_##a; AND_THEN(b) AND_THEN(c) AND_THEN(d) NEXT;
#include "bytecode/sequences.tbl"
#undef SEQ2
#undef SEQ3
#undef SEQ4

OP(SETGLOBAL):
  caml_modify(&Field(caml_global_data, *pc++), acc);
  acc = Val_unit;
  NEXT;

  /* Functions. */
OP(APPLY):
  extra = Val_long((intnat)*pc - 1);
  ENTER;
OP(APPTERM):
  {
    mlsize_t count = (mlsize_t)pc[0];
    value *to = sp + pc[1] - count;
    for (mlsize_t i = count; i-- > 0;) to[i] = sp[i];
    sp = to;
    extra += MORE((intnat)count - 1);
    ENTER;
  }
OP(RESTART):
  {
    mlsize_t count = Wosize_val(env) - 3;
    if (unlikely(sp - count < fiber->limit)) {
      fiber->sp = sp;
      if (!fiber_ensure(fiber, count)) goto stack_overflow;
      sp = fiber->sp;
    }
    sp -= count;
    COPY_WORDS(sp, &Field(env, 3), count);
    env = Field(env, 2);
    extra += MORE((intnat)count);
    NEXT;
  }
OP(CLOSURE):
  {
    mlsize_t count = (mlsize_t)pc[0];
    value block;
    if (count > 0) *--sp = acc;
    if (unlikely(count > Max_young_wosize - 2)) {
      SAVE_ALL_AT(pc + 2);
      block = interp_big_closure(count + 2, 2, sp + 3);
      LOAD_ALL;
    } else {
      ALLOC(block, count + 2, Closure_tag, 2);
      for (mlsize_t i = 0; i < count; i++) Field(block, 2 + i) = sp[i];
    }
    Field(block, 0) = (value)(pc + 1 + pc[1]);
    Closinfo_val(block) = Make_closinfo(0, 2);
    sp += count;
    pc += 2;
    acc = block;
    NEXT;
  }
OP(CLOSUREREC):
  {
    mlsize_t functions = (mlsize_t)pc[0], count = (mlsize_t)pc[1], start = functions * 3 - 1;
    value block;
    if (count > 0) *--sp = acc;
    if (unlikely(start + count > Max_young_wosize)) {
      SAVE_ALL_AT(pc + 2 + functions);
      block = interp_big_closure(start + count, start, sp + 3);
      LOAD_ALL;
    } else {
      ALLOC(block, start + count, Closure_tag, 2 + functions);
      for (mlsize_t i = 0; i < count; i++) Field(block, start + i) = sp[i];
    }
    sp = interp_fill_closures(block, pc + 2, functions, sp + count);
    pc += 2 + functions;
    acc = block;
    NEXT;
  }

  /* Blocks. */
OP(MAKEBLOCK):
  {
    mlsize_t wosize = (mlsize_t)pc[0];
    value block;
    if (likely(wosize <= Max_young_wosize)) {
      ALLOC(block, wosize, (tag_t)pc[1], 2);
      Field(block, 0) = acc;
      for (mlsize_t i = 1; i < wosize; i++) Field(block, i) = sp[i - 1];
    } else {
      SAVE_ALL_AT(pc + 2);
      block = interp_big_block(sp, wosize, (tag_t)pc[1]);
      LOAD_ALL;
    }
    sp += wosize - 1;
    pc += 2;
    acc = block;
    NEXT;
  }
OP(MAKEFLOATBLOCK):
  {
    mlsize_t wosize = (mlsize_t)*pc;
    value block;
    if (likely(wosize <= Max_young_wosize)) {
      ALLOC(block, wosize, Double_array_tag, 1);
    } else {
      SAVE_ALL_AT(pc + 1);
      block = caml_alloc_shr(wosize, Double_array_tag);
      LOAD_ALL;
    }
    pc++;
    Store_double_flat_field(block, 0, Double_val(acc));
    for (mlsize_t i = 1; i < wosize; i++) Store_double_flat_field(block, i, Double_val(*sp++));
    acc = block;
    NEXT;
  }
OP(GETFLOATFIELD):
  {
    value block;
    ALLOC(block, Double_wosize, Double_tag, 1);
    Store_double_val(block, Double_flat_field(acc, (mlsize_t)*pc));
    pc++;
    acc = block;
    NEXT;
  }
OP(SETFLOATFIELD):
  Store_double_flat_field(acc, (mlsize_t)*pc++, Double_val(*sp++));
  acc = Val_unit;
  NEXT;

  /* Exceptions. */
OP(RAISE_NOTRACE):
  goto raise;
OP(RERAISE):
  if (unlikely(st->backtrace_active)) {
    *--sp = (value)(pc - 1);
    fiber->sp = sp;
    backtrace_stash(acc, true);
  }
  goto raise;
OP(RAISE):
  pc--;
  goto raise_here;

OP(C_CALLN):
  {
    int count = *pc++;
    *--sp = acc;
    SAVE_FOR_C;
    acc = PRIM(primN)(sp + 2, count);
    LOAD_AFTER_C(count);
    NEXT;
  }

  /* Objects. */
OP(GETDYNMET):
  acc = caml_get_public_method(sp[0], acc);
  NEXT;

  /* Ends and marks. */
OP(STOP):
  fiber->sp = sp;
  return acc;
  /* A debugger's, which stand for other instructions. */
  STOPS(EVENT, debugger_event)
  STOPS(BREAK, debugger_breakpoint)

  /* Effects. */
OP(PERFORM):
  {
    value cont;
    if (unlikely(fiber == act->base)) {
      SAVE_ALL;
      value exn = effect_unhandled(acc);
      LOAD_ALL;
      acc = exn;
      pc--;
      goto raise_here;
    }
    ALLOC(cont, 2, Cont_tag, 0);
    Field(cont, 0) = Field(cont, 1) = Val_ptr(fiber);
    gc_note_continuation(st->domain, cont, &fiber->note);
    PUSH_FRAME(pc, env, extra);
    struct stack_info *done = fiber;
    SWITCH_FIBER(done->parent);
    done->parent = NULL;
    sp -= 3;
    sp[0] = acc;
    sp[1] = cont;
    sp[2] = Val_ptr(done);
    acc = done->handlers[HANDLE_EFFECT];
    extra = done->parent_extra + MORE(2);
    ENTER;
  }
  /* acc: the first fiber of the chain; sp: function, argument, the last fiber or, for a new
   * fiber, null */
OP(RESUME):
  if (unlikely(acc == Val_ptr(NULL))) goto already_resumed;
  {
    value function = sp[0], argument = sp[1];
    struct stack_info *first = Ptr_val(acc), *last = Ptr_val(sp[2]);
    sp += 3;
    PUSH_FRAME(pc, env, extra);
    RESUME_CHAIN(Val_int(0));
  }
OP(RESUMETERM):
  if (unlikely(acc == Val_ptr(NULL))) goto already_resumed;
  {
    value function = sp[0], argument = sp[1];
    struct stack_info *first = Ptr_val(acc), *last = Ptr_val(sp[2]);
    sp += *pc;
    RESUME_CHAIN(extra);
  }
OP(REPERFORMTERM):
  /* acc: the effect; sp: continuation, its last fiber. The chain gets this fiber added. */
  if (unlikely(fiber == act->base)) goto reperform_unhandled;
  {
    SAVE_ALL;
    value cont = continuation_renew(sp[3]);
    LOAD_ALL;
    struct stack_info *done = fiber, *last = Ptr_val(sp[1]);
    last->parent = done;
    last->parent_extra = extra;
    sp += *pc;
    SWITCH_FIBER(done->parent);
    done->parent = NULL;
    Field(cont, 1) = Val_ptr(done);
    sp -= 3;
    sp[0] = acc;
    sp[1] = cont;
    sp[2] = Val_ptr(done);
    acc = done->handlers[HANDLE_EFFECT];
    extra = done->parent_extra + MORE(2);
    ENTER;
  }
OP(FIBER_RETURN):
  {
    struct stack_info *done = fiber;
    SWITCH_FIBER(done->parent);
    *--sp = acc;
    acc = done->handlers[HANDLE_VALUE];
    extra = done->parent_extra;
    fiber_free(done);
    ENTER;
  }

  /* ---- Not instructions ---- */

  /* RETURN where the result is to be applied to further arguments. */
return_more:
  extra -= MORE(1);
  ENTER;

  /* GRAB with too few arguments: a closure that holds them, whose code starts at the
   * RESTART before. */
grab_partial:
  {
    mlsize_t count = (mlsize_t)Long_val(extra) + 1;
    value block;
    if (unlikely(count > Max_young_wosize - 3)) {
      SAVE_ALL;
      block = interp_big_closure(count + 3, 3, sp + 3);
      LOAD_ALL;
    } else {
      ALLOC(block, count + 3, Closure_tag, 0);
      COPY_WORDS(&Field(block, 3), sp, count);
    }
    Field(block, 0) = (value)(pc - 2);
    Closinfo_val(block) = Make_closinfo(0, 2);
    if (unlikely(count > Max_young_wosize - 3)) caml_initialize(&Field(block, 2), env);
    else Field(block, 2) = env;
    sp += count;
    acc = block;
    POP_FRAME;
    NEXT;
  }

entry_slow:
  if (sp < fiber->limit) {
    fiber->sp = sp;
    if (!fiber_ensure(fiber, FIBER_RESERVE)) goto stack_overflow;
    sp = fiber->sp;
  }
  if (!domain_has_interrupts(st->domain)) NEXT;
poll:
  SAVE_ALL;
  {
    value result = interp_poll(st);
    LOAD_ALL;
    if (Is_exception_result(result)) {
      acc = Extract_exception(result);
      goto raise_async;
    }
  }
  NEXT;

  /* Nobody handles the effect: the exception is raised where it was performed. */
reperform_unhandled:
  {
    SAVE_ALL;
    value exn = effect_unhandled(acc);
    LOAD_ALL;
    acc = exn;
    struct stack_info *first = continuation_take(sp[0]), *last = Ptr_val(sp[1]);
    last->parent = fiber;
    last->parent_extra = extra;
    sp += *pc;
    SWITCH_FIBER(first);
    goto raise_from_c;
  }

already_resumed:
  acc = continuation_already_resumed();
  goto raise_here;
/* Their backtraces start where stock's do, one word on, so that the same event
 * is found, or none. */
division_by_zero:
  acc = caml_exception_zero_divide();
  pc++;
  goto raise_here;
stack_overflow:
  acc = caml_exception_stack_overflow();
  pc++;

  /* Exceptions of the machine itself: the backtrace starts at pc. */
raise_here:
  *--sp = (value)pc;
  fiber->sp = sp;
  goto raise_from_c;
  /* The address for the backtrace is on the stack. */
raise_async:
  sp -= 3;
  fiber->sp = sp;
raise_from_c:
  if (unlikely(st->backtrace_active)) backtrace_stash(acc, false);
raise:
  if (unlikely(caml_debugger_in_use)) {
    fiber->sp = sp;
    debugger_raise(acc);
  }
  if (fiber->trap != 0) {
    sp = fiber->high - fiber->trap;
    pc = (code_t)sp[0];
    fiber->trap = Long_val(sp[1]);
    env = sp[2];
    extra = sp[3];
    sp += 4;
    NEXT;
  }
  if (fiber == act->base) return Make_exception_result(acc);
  {
    struct stack_info *done = fiber;
    SWITCH_FIBER(done->parent);
    *--sp = acc;
    acc = done->handlers[HANDLE_EXN];
    extra = done->parent_extra;
    fiber_free(done);
    ENTER;
  }
}

/* ---- Entering the loop ---- */

/* [used] words of the current fiber are the callers'. */
static value activation_run(code_t pc, value env, value extra, size_t used)
{
  caml_domain_state *st = Caml_state;
  struct stack_info *base = st->current_stack;
  struct exception_context act = {
      .local_roots = st->local_roots,
      .channels = channels_locked(),
      .base = base,
      .used = used,
      .outer_trap = base->trap,
      .outer = st->external_raise,
  };
  base->trap = 0;
  st->external_raise = &act;
  value result;
  if (_setjmp(act.jump) == 0)
    result = interp_loop(Caml_state, &act, pc, env, extra);
  else
    result = interp_loop(Caml_state, &act, NULL, Val_unit, Val_int(0));
  act.base->sp = act.base->high - act.used;
  act.base->trap = act.outer_trap;
  Caml_state->external_raise = act.outer;
  return result;
}

value interp_run(code_t code, value env)
{
  return activation_run(code, env, Val_int(0), fiber_used(Caml_state->current_stack));
}

value activation_apply(value f, size_t count, const value *args)
{
  struct stack_info *fiber = Caml_state->current_stack;
  size_t used = fiber_used(fiber);
  /* A stub of many arguments may hand on the array it was given, which lies on this stack and moves with it. */
  bool on_stack = args >= fiber->sp && args < fiber->high;
  size_t from_top = on_stack ? (size_t)(fiber->high - args) : 0;
  if (!fiber_ensure(fiber, count + 3)) return Make_exception_result(caml_exception_stack_overflow());
  if (on_stack) args = fiber->high - from_top;
  fiber->sp -= count + 3;
  memcpy(fiber->sp, args, Bsize_wsize(count));
  fiber->sp[count] = (value)interp_stop();
  fiber->sp[count + 1] = Val_unit;
  fiber->sp[count + 2] = Val_long(0);
  return activation_run(Code_val(f), f, Val_long(count - 1), used);
}

const int32_t *interp_labels(void)
{
  return (const int32_t *)interp_loop(NULL, NULL, NULL, Val_unit, Val_int(0));
}
