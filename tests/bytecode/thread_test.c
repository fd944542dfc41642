/* SPDX-License-Identifier: MIT */
/* Tests of src/bytecode/thread.c: each sequence of sequences.tbl is found in code, and the code reads back as it was. */
#include "../unit/unit.h"

#include "bytecode/bytecode.h"
#include "bytecode/labels.h"

#define INLINED_PRIMITIVE(name, args) extern int name##_ __asm__(#name);
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE

/* The instruction of each label that may be a part, and the primitive that it calls. */
static struct part { int opcode; void *primitive; } parts[FIRST_SEQUENCE] = {
#define INLINED_PRIMITIVE(name, args) [OP_##name] = {OP_C_CALL##args, &name##_},
#include "bytecode/inlined.tbl"
#undef INLINED_PRIMITIVE
};

static const struct { uint8_t length, parts[4]; const char *name; } sequences[] = {
#define SEQUENCE(name, ...) {sizeof (uint8_t[]){__VA_ARGS__}, {__VA_ARGS__}, #name},
#include "bytecode/each_sequence.tbl"
};

/* Appends the instruction, operands 0; a primitive has the label as its number. Answers its words. */
static size_t put(opcode_t *code, int label)
{
  int opcode = parts[label].primitive ? parts[label].opcode : label;
  code[0] = opcode;
  for (size_t i = 1; i < opcode_fixed_words[opcode]; i++) code[i] = 0;
  if (parts[label].primitive) code[1] = label;
  return opcode_fixed_words[opcode];
}

static void prepare(void)
{
  interp_init();
  for (int i = 0; i < FIRST_SEQUENCE; i++) bytecode_prims[i] = (bytecode_prim)(uintptr_t)parts[i].primitive;
}

/* Followed by STOP, which begins and ends nothing. */
TEST(each_sequence)
{
  prepare();
  for (size_t i = 0; i < countof(sequences); i++) {
    opcode_t code[64], was[64];
    size_t at[5], words = 0;
    for (int k = 0; k < sequences[i].length; k++) {
      at[k] = words;
      words += put(code + words, sequences[i].parts[k]);
    }
    words += put(code + words, OP_STOP);
    memcpy(was, code, sizeof was);
    interp_thread_code(code, words, true);
    if (code[0] != interp_labels()[FIRST_SEQUENCE + i]) fprintf(stderr, "%s\n", sequences[i].name);
    EXPECT_EQ(code[0], interp_labels()[FIRST_SEQUENCE + i]);
    for (int k = 0; k < sequences[i].length; k++) EXPECT_EQ(interp_opcode_at(&code[at[k]]), was[at[k]]);
    for (size_t k = 0, next = 0; k < words; k++) {
      if (next < sequences[i].length && k == at[next]) next++;
      else if (k + 1 < words) EXPECT_EQ(code[k], was[k]);
    }
  }
}

/* Code without sequences has each instruction's own word. */
TEST(plain)
{
  prepare();
  for (int opcode = 0; opcode < OPCODE_COUNT; opcode++) {
    opcode_t code[8];
    size_t words = put(code, opcode);
    if (opcode == OP_SWITCH || opcode == OP_CLOSUREREC) continue;
    words += put(code + words, OP_PUSH);
    interp_thread_code(code, words, false);
    EXPECT_EQ(code[0], interp_word(opcode));
    EXPECT_EQ(code[words - 1], interp_word(OP_PUSH));
    EXPECT_EQ(interp_opcode_at(&code[0]), opcode);
  }
}

UNIT_MAIN()
