/* SPDX-License-Identifier: MIT */
/* Bodies of the short instructions, as macros over the variables of
 * interp_loop: DO_<NAME> does what the instruction does, pc standing behind its opcode
 * word at the entry and behind its operands at the end. The macros are used for
 * the instruction itself and for the sequences of bytecode/sequences.tbl. One that jumps does not
 * reach its end. Included by interp.c alone, which also says what the names are. */
#ifndef BAC_BYTECODE_INSTRUCTIONS_H
#define BAC_BYTECODE_INSTRUCTIONS_H

#define AS_UNSIGNED(v) ((uintnat)(v))
#define IS_INTERRUPTED unlikely(load_relaxed(&st->young_limit) == UINTPTR_MAX)

/* Not memcpy: a call for a few words costs more than they do. */
#define COPY_WORDS(to, from, count)                                             \
  do {                                                                          \
    for (mlsize_t i_ = 0; i_ < (mlsize_t)(count); i_++) (to)[i_] = (from)[i_];  \
  } while (0)

/* ---- Frames and calls ---- */

/* By what a tagged integer grows that gets n more. */
#define MORE(n) (2 * (n))

#define PUSH_FRAME(ret, env_, extra_)                                           \
  do {                                                                          \
    sp -= 3;                                                                    \
    sp[0] = (value)(ret);                                                       \
    sp[1] = (env_);                                                             \
    sp[2] = (extra_);                                                           \
  } while (0)
#define POP_FRAME                                                               \
  do {                                                                          \
    pc = (code_t)sp[0];                                                         \
    env = sp[1];                                                                \
    extra = sp[2];                                                              \
    sp += 3;                                                                    \
  } while (0)

/* Enters the closure in acc: room on the stack (FIBER-2) and interrupts are
 * looked at. */
#define ENTER                                                                   \
  do {                                                                          \
    env = acc;                                                                  \
    pc = Code_val(acc);                                                         \
    if (unlikely(sp < fiber->limit) || IS_INTERRUPTED) goto entry_slow;         \
    NEXT;                                                                       \
  } while (0)

#define APPLY_TO(count)                                                         \
  do {                                                                          \
    value args_[count];                                                         \
    COPY_WORDS(args_, sp, count);                                               \
    sp += (count);                                                              \
    PUSH_FRAME(pc, env, extra);                                                 \
    sp -= (count);                                                              \
    COPY_WORDS(sp, args_, count);                                               \
    extra = Val_int((count) - 1);                                               \
    ENTER;                                                                      \
  } while (0)

/* [count] arguments move over the frame of the function that ends. */
#define TAIL_APPLY_TO(count)                                                    \
  do {                                                                          \
    value args_[count];                                                         \
    COPY_WORDS(args_, sp, count);                                               \
    sp += *pc - (count);                                                        \
    COPY_WORDS(sp, args_, count);                                               \
    extra += MORE((count) - 1);                                                 \
    ENTER;                                                                      \
  } while (0)

#define DO_PUSH_RETADDR                                                         \
  do {                                                                          \
    PUSH_FRAME(pc + *pc, env, extra);                                           \
    pc++;                                                                       \
  } while (0)
#define DO_APPLY1 APPLY_TO(1)
#define DO_APPLY2 APPLY_TO(2)
#define DO_APPLY3 APPLY_TO(3)
#define DO_APPTERM1 TAIL_APPLY_TO(1)
#define DO_APPTERM2 TAIL_APPLY_TO(2)
#define DO_APPTERM3 TAIL_APPLY_TO(3)
#define DO_RETURN                                                               \
  do {                                                                          \
    sp += *pc++;                                                                \
    if (extra > Val_int(0)) goto return_more;                                            \
    POP_FRAME;                                                                  \
    NEXT;                                                                       \
  } while (0)
#define DO_GRAB                                                                 \
  do {                                                                          \
    if (unlikely(extra < Val_long((intnat)*pc))) goto grab_partial;             \
    extra -= MORE((intnat)*pc++);                                               \
  } while (0)

/* ---- Loads: into acc, and the forms that push acc first ---- */

#define PUSH_AND(name)                                                          \
  do {                                                                          \
    *--sp = acc;                                                                \
    DO_##name;                                                                  \
  } while (0)

#define DO_ACC0 acc = sp[0]
#define DO_ACC1 acc = sp[1]
#define DO_ACC2 acc = sp[2]
#define DO_ACC3 acc = sp[3]
#define DO_ACC4 acc = sp[4]
#define DO_ACC5 acc = sp[5]
#define DO_ACC6 acc = sp[6]
#define DO_ACC7 acc = sp[7]
#define DO_ACC acc = sp[*pc++]
#define DO_PUSH *--sp = acc
#define DO_PUSHACC0 *--sp = acc
#define DO_PUSHACC1 PUSH_AND(ACC1)
#define DO_PUSHACC2 PUSH_AND(ACC2)
#define DO_PUSHACC3 PUSH_AND(ACC3)
#define DO_PUSHACC4 PUSH_AND(ACC4)
#define DO_PUSHACC5 PUSH_AND(ACC5)
#define DO_PUSHACC6 PUSH_AND(ACC6)
#define DO_PUSHACC7 PUSH_AND(ACC7)
#define DO_PUSHACC PUSH_AND(ACC)
#define DO_POP sp += *pc++
#define DO_ASSIGN (sp[*pc++] = acc, acc = Val_unit)

#define DO_ENVACC1 acc = Field(env, 1)
#define DO_ENVACC2 acc = Field(env, 2)
#define DO_ENVACC3 acc = Field(env, 3)
#define DO_ENVACC4 acc = Field(env, 4)
#define DO_ENVACC acc = Field(env, *pc++)
#define DO_PUSHENVACC1 PUSH_AND(ENVACC1)
#define DO_PUSHENVACC2 PUSH_AND(ENVACC2)
#define DO_PUSHENVACC3 PUSH_AND(ENVACC3)
#define DO_PUSHENVACC4 PUSH_AND(ENVACC4)
#define DO_PUSHENVACC PUSH_AND(ENVACC)

#define DO_OFFSETCLOSUREM3 acc = env - 3 * (value)sizeof(value)
#define DO_OFFSETCLOSURE0 acc = env
#define DO_OFFSETCLOSURE3 acc = env + 3 * (value)sizeof(value)
#define DO_OFFSETCLOSURE acc = env + *pc++ * (value)sizeof(value)
#define DO_PUSHOFFSETCLOSUREM3 PUSH_AND(OFFSETCLOSUREM3)
#define DO_PUSHOFFSETCLOSURE0 PUSH_AND(OFFSETCLOSURE0)
#define DO_PUSHOFFSETCLOSURE3 PUSH_AND(OFFSETCLOSURE3)
#define DO_PUSHOFFSETCLOSURE PUSH_AND(OFFSETCLOSURE)

#define DO_GETGLOBAL acc = Field(caml_global_data, *pc++)
#define DO_GETGLOBALFIELD                                                       \
  (acc = Field(Field(caml_global_data, pc[0]), pc[1]), pc += 2)
#define DO_PUSHGETGLOBAL PUSH_AND(GETGLOBAL)
#define DO_PUSHGETGLOBALFIELD PUSH_AND(GETGLOBALFIELD)

#define DO_CONST0 acc = Val_int(0)
#define DO_CONST1 acc = Val_int(1)
#define DO_CONST2 acc = Val_int(2)
#define DO_CONST3 acc = Val_int(3)
#define DO_CONSTINT acc = Val_long((intnat)*pc++)
#define DO_PUSHCONST0 PUSH_AND(CONST0)
#define DO_PUSHCONST1 PUSH_AND(CONST1)
#define DO_PUSHCONST2 PUSH_AND(CONST2)
#define DO_PUSHCONST3 PUSH_AND(CONST3)
#define DO_PUSHCONSTINT PUSH_AND(CONSTINT)

#define DO_ATOM0 acc = Atom(0)
#define DO_ATOM acc = Atom((tag_t)*pc++)
#define DO_PUSHATOM0 PUSH_AND(ATOM0)
#define DO_PUSHATOM PUSH_AND(ATOM)

/* ---- Fields ---- */

#define DO_GETFIELD0 acc = Field(acc, 0)
#define DO_GETFIELD1 acc = Field(acc, 1)
#define DO_GETFIELD2 acc = Field(acc, 2)
#define DO_GETFIELD3 acc = Field(acc, 3)
#define DO_GETFIELD acc = Field(acc, *pc++)
#define DO_GETVECTITEM acc = Field(acc, Long_val(*sp++))
#define DO_VECTLENGTH acc = Val_long(Wosize_val(acc))
#define DO_GETBYTESCHAR acc = Val_int(Byte_u(acc, Long_val(*sp++)))
#define DO_GETSTRINGCHAR acc = Val_int(Byte_u(acc, Long_val(*sp++)))

/* An integer over an integer owes the collector nothing (barrier_before of gc/alloc.c). */
#define WRITE_FIELD(field, v)                                                   \
  do {                                                                          \
    value *field_ = (field), v_ = (v);                                          \
    if (load_relaxed(field_) & v_ & 1) store_release(field_, v_);               \
    else gc_write_field(st->domain, field_, v_);                                \
  } while (0)
#define SET_FIELD(n)                                                            \
  do {                                                                          \
    WRITE_FIELD(&Field(acc, (n)), *sp++);                                       \
    acc = Val_unit;                                                             \
  } while (0)
#define DO_SETFIELD0 SET_FIELD(0)
#define DO_SETFIELD1 SET_FIELD(1)
#define DO_SETFIELD2 SET_FIELD(2)
#define DO_SETFIELD3 SET_FIELD(3)
#define DO_SETFIELD SET_FIELD(*pc++)

#define STORE_INDEXED(store)                                                    \
  do {                                                                          \
    store;                                                                      \
    sp += 2;                                                                    \
    acc = Val_unit;                                                             \
  } while (0)
#define DO_SETVECTITEM STORE_INDEXED(WRITE_FIELD(&Field(acc, Long_val(sp[0])), sp[1]))
#define DO_SETBYTESCHAR STORE_INDEXED(Byte_u(acc, Long_val(sp[0])) = (unsigned char)Long_val(sp[1]))
/* Others may be marking it. */
#define DO_OFFSETREF                                                            \
  do {                                                                          \
    store_relaxed(&Field(acc, 0), (value)(AS_UNSIGNED(Field(acc, 0)) + AS_UNSIGNED((intnat)*pc++ * 2))); \
    acc = Val_unit;                                                             \
  } while (0)

#define MAKE_BLOCK(count)                                                       \
  do {                                                                          \
    value block_;                                                               \
    ALLOC(block_, count, (tag_t)*pc, 1);                                        \
    pc++;                                                                       \
    Field(block_, 0) = acc;                                                     \
    for (int i_ = 1; i_ < (count); i_++) Field(block_, i_) = *sp++;             \
    acc = block_;                                                               \
  } while (0)
#define DO_MAKEBLOCK1 MAKE_BLOCK(1)
#define DO_MAKEBLOCK2 MAKE_BLOCK(2)
#define DO_MAKEBLOCK3 MAKE_BLOCK(3)

#define DO_GETMETHOD acc = Field(Class_val(sp[0]), Long_val(acc))
#define DO_GETPUBMET                                                            \
  do {                                                                          \
    *--sp = acc;                                                                \
    acc = method_lookup(acc, Val_long((intnat)pc[0]), &pc[1]);                  \
    pc += 2;                                                                    \
  } while (0)

/* ---- Traps ---- */

#define DO_PUSHTRAP                                                             \
  do {                                                                          \
    sp -= 4;                                                                    \
    sp[0] = (value)(pc + *pc);                                                  \
    sp[1] = Val_long(fiber->trap);                                              \
    sp[2] = env;                                                                \
    sp[3] = extra;                                                              \
    fiber->trap = fiber->high - sp;                                             \
    pc++;                                                                       \
  } while (0)
/* An interrupt comes first and then goes on at POPTRAP: a signal handler's exception is for this trap. */
#define DO_POPTRAP                                                              \
  do {                                                                          \
    if (IS_INTERRUPTED) {                                                       \
      pc--;                                                                     \
      goto poll;                                                                \
    }                                                                           \
    fiber->trap = Long_val(sp[1]);                                              \
    sp += 4;                                                                    \
  } while (0)

/* ---- Jumps. In a sequence, a jump that is taken leaves it. ---- */

#define JUMP_IF(test)                                                           \
  do {                                                                          \
    if (test) {                                                                 \
      pc += *pc;                                                                \
      NEXT;                                                                     \
    }                                                                           \
    pc++;                                                                       \
  } while (0)
#define DO_BRANCH JUMP_IF(true)
#define DO_BRANCHIF JUMP_IF(acc != Val_false)
#define DO_BRANCHIFNOT JUMP_IF(acc == Val_false)
#define DO_BOOLNOT acc = Val_true + Val_false - acc
#define DO_SWITCH                                                               \
  do {                                                                          \
    uint32_t constants_ = (uint32_t)*pc++ & 0xffff;                             \
    pc += Is_long(acc) ? pc[Long_val(acc)] : pc[constants_ + Tag_val(acc)];     \
    NEXT;                                                                       \
  } while (0)
#define DO_CHECK_SIGNALS                                                        \
  do {                                                                          \
    if (IS_INTERRUPTED) goto poll;                                              \
  } while (0)

/* ---- Integers: 2n + 1 stands for n ---- */

#define COMPUTE(expr)                                                           \
  do {                                                                          \
    uintnat a = AS_UNSIGNED(acc), b = AS_UNSIGNED(*sp++);                       \
    acc = (value)(expr);                                                        \
  } while (0)
#define DO_ADDINT COMPUTE(a + b - 1)
#define DO_SUBINT COMPUTE(a - b + 1)
#define DO_MULINT COMPUTE((a - 1) * AS_UNSIGNED(Long_val(b)) + 1)
#define DO_ANDINT COMPUTE(a & b)
#define DO_ORINT COMPUTE(a | b)
#define DO_XORINT COMPUTE((a ^ b) | 1)
#define DO_LSLINT COMPUTE(((a - 1) << (Long_val(b) & 63)) + 1)
#define DO_LSRINT COMPUTE((a >> (Long_val(b) & 63)) | 1)
#define DO_ASRINT COMPUTE(((intnat)a >> (Long_val(b) & 63)) | 1)
#define DIVIDE(op)                                                              \
  do {                                                                          \
    if (unlikely(*sp == Val_int(0))) goto division_by_zero;                     \
    acc = Val_long(Long_val(acc) op Long_val(*sp));                             \
    sp++;                                                                       \
  } while (0)
#define DO_DIVINT DIVIDE(/)
#define DO_MODINT DIVIDE(%)
#define DO_NEGINT acc = (value)(2 - AS_UNSIGNED(acc))
#define DO_OFFSETINT acc = (value)(AS_UNSIGNED(acc) + AS_UNSIGNED((intnat)*pc++ * 2))
#define DO_ISINT acc = Val_bool(Is_long(acc))

#define COMPARE(type, op) acc = Val_bool((type)acc op(type) * sp++)
#define DO_EQ COMPARE(value, ==)
#define DO_NEQ COMPARE(value, !=)
#define DO_LTINT COMPARE(intnat, <)
#define DO_LEINT COMPARE(intnat, <=)
#define DO_GTINT COMPARE(intnat, >)
#define DO_GEINT COMPARE(intnat, >=)
#define DO_ULTINT COMPARE(uintnat, <)
#define DO_UGEINT COMPARE(uintnat, >=)

#define COMPARE_AND_JUMP(type, op)                                              \
  do {                                                                          \
    type constant_ = (type)(intnat)*pc++;                                       \
    JUMP_IF(constant_ op(type) Long_val(acc));                                  \
  } while (0)
#define DO_BEQ COMPARE_AND_JUMP(intnat, ==)
#define DO_BNEQ COMPARE_AND_JUMP(intnat, !=)
#define DO_BLTINT COMPARE_AND_JUMP(intnat, <)
#define DO_BLEINT COMPARE_AND_JUMP(intnat, <=)
#define DO_BGTINT COMPARE_AND_JUMP(intnat, >)
#define DO_BGEINT COMPARE_AND_JUMP(intnat, >=)
#define DO_BULTINT COMPARE_AND_JUMP(uintnat, <)
#define DO_BUGEINT COMPARE_AND_JUMP(uintnat, >=)

/* ---- C primitives ---- */

#define PRIM(type) ((type)(void (*)(void))bytecode_prims[*pc])

/* The address of the next instruction is what a backtrace finds; pc is at the
 * primitive's index. */
#define SAVE_FOR_C                                                              \
  do {                                                                          \
    sp -= 2;                                                                    \
    sp[0] = env;                                                                \
    sp[1] = (value)(pc + 1);                                                    \
    fiber->sp = sp;                                                             \
  } while (0)
#define LOAD_AFTER_C(args) (pc++, sp = fiber->sp + 2 + (args), env = sp[-2 - (args)])

#define CALL_C(type, args, ...)                                                 \
  do {                                                                          \
    SAVE_FOR_C;                                                                 \
    acc = PRIM(type)(__VA_ARGS__);                                              \
    LOAD_AFTER_C(args);                                                         \
  } while (0)
#define DO_C_CALL1 CALL_C(prim1, 0, acc)
#define DO_C_CALL2 CALL_C(prim2, 1, acc, sp[2])
#define DO_C_CALL3 CALL_C(prim3, 2, acc, sp[2], sp[3])
#define DO_C_CALL4 CALL_C(prim4, 3, acc, sp[2], sp[3], sp[4])
#define DO_C_CALL5 CALL_C(prim5, 4, acc, sp[2], sp[3], sp[4], sp[5])

#endif
