/* SPDX-License-Identifier: MIT */
/* Tests of src/bytecode/check.c: each of its rules refuses what breaks it, by
 * the smallest code that does, and lets the same code pass when it is put right. */
#include "../unit/unit.h"

#include "bytecode/check.h"
#include "bytecode/opcodes.h"

static char why[CODE_MESSAGE_SIZE];

static bool check(const int32_t *code, size_t words)
{
  struct code_limits limits = {.globals = 10, .primitives = 5};
  why[0] = 0;
  return code_check(code, words, &limits, why);
}

#define CODE(...) ((const int32_t[]){__VA_ARGS__})
#define CHECKED(...) check(CODE(__VA_ARGS__), sizeof CODE(__VA_ARGS__) / sizeof(int32_t))
#define SOUND(...) (CHECKED(__VA_ARGS__) ? (void)0 : UNIT_FAIL("refused: %s", why))
#define REFUSED(text, ...)                                        \
  (CHECKED(__VA_ARGS__) ? UNIT_FAIL("not refused: %s", text)      \
   : strstr(why, (text)) ? (void)0 : UNIT_FAIL("refused with: %s", why))

TEST(instructions_are_known_and_whole)
{
  SOUND(OP_STOP);
  SOUND(OP_CONSTINT, -5, OP_STOP);
  REFUSED("unknown instruction", OPCODE_COUNT, OP_STOP);
  REFUSED("unknown instruction", -1, OP_STOP);
  REFUSED("unknown instruction", INT32_MIN, OP_STOP);
  REFUSED("cut off", OP_CONSTINT);
  REFUSED("cut off", OP_BEQ, 1);
  REFUSED("only a debugger", OP_EVENT, OP_STOP);
  REFUSED("only a debugger", OP_BREAK, OP_STOP);
  EXPECT(!check(NULL, 0));
}

TEST(the_end_is_not_passed)
{
  REFUSED("past the end", OP_CONST0);
  REFUSED("past the end", OP_BRANCHIF, -1);
  SOUND(OP_BRANCH, -1);
  SOUND(OP_RETURN, 1);
  SOUND(OP_RAISE);
}

TEST(jumps_lead_to_instructions)
{
  SOUND(OP_BRANCH, 1, OP_STOP);
  SOUND(OP_BRANCHIF, 1, OP_STOP);
  REFUSED("no instruction starts", OP_BRANCH, 0, OP_STOP);
  REFUSED("no instruction starts", OP_BRANCH, 2, OP_STOP);
  REFUSED("no instruction starts", OP_BRANCH, -2, OP_STOP);
  REFUSED("no instruction starts", OP_BRANCH, INT32_MAX, OP_STOP);
  REFUSED("no instruction starts", OP_BRANCH, INT32_MIN, OP_STOP);
  SOUND(OP_BNEQ, 7, 1, OP_STOP);
  REFUSED("no instruction starts", OP_BNEQ, 7, 2, OP_STOP);
  SOUND(OP_PUSHTRAP, 1, OP_STOP);
  REFUSED("no instruction starts", OP_PUSHTRAP, 5, OP_STOP);
  SOUND(OP_PUSH_RETADDR, 1, OP_STOP);
  REFUSED("no instruction starts", OP_PUSH_RETADDR, 9, OP_STOP);
}

TEST(tables_of_distances)
{
  SOUND(OP_SWITCH, 1 + (1 << 16), 2, 3, OP_STOP, OP_STOP);
  REFUSED("no instruction starts", OP_SWITCH, 1 + (1 << 16), 2, 4, OP_STOP, OP_STOP);
  REFUSED("cut off", OP_SWITCH, 0xffff + (1 << 16), 2, 3, OP_STOP);
  REFUSED("cut off", OP_SWITCH, -1, 2, OP_STOP);
  SOUND(OP_CLOSUREREC, 2, 0, 2, 2, OP_STOP);
  REFUSED("no instruction starts", OP_CLOSUREREC, 2, 0, 2, 1, OP_STOP);
  REFUSED("cut off", OP_CLOSUREREC, 200, 0, 2, 2, OP_STOP);
  EXPECT(!CHECKED(OP_CLOSUREREC, -1, 0, OP_STOP));
  EXPECT(!CHECKED(OP_CLOSUREREC, INT32_MAX, 0, OP_STOP));
  REFUSED("count", OP_CLOSUREREC, 0, 0, OP_STOP);
  REFUSED("count", OP_CLOSUREREC, 1, -1, 1, OP_STOP);
}

TEST(closures)
{
  SOUND(OP_CLOSURE, 0, 2, OP_STOP, OP_RETURN, 1);
  REFUSED("no instruction starts", OP_CLOSURE, 0, 3, OP_STOP, OP_RETURN, 1);
  REFUSED("count", OP_CLOSURE, -1, 2, OP_STOP, OP_RETURN, 1);
  SOUND(OP_STOP, OP_RESTART, OP_GRAB, 1, OP_RETURN, 2);
  REFUSED("RESTART", OP_GRAB, 1, OP_RETURN, 2);
  REFUSED("RESTART", OP_STOP, OP_GRAB, 1, OP_RETURN, 2);
  /* The word before is an operand that looks like one. */
  REFUSED("RESTART", OP_CONSTINT, OP_RESTART, OP_GRAB, 1, OP_RETURN, 2);
}

TEST(indices)
{
  SOUND(OP_GETGLOBAL, 9, OP_STOP);
  REFUSED("global 10, of 10", OP_GETGLOBAL, 10, OP_STOP);
  REFUSED("global -1", OP_SETGLOBAL, -1, OP_STOP);
  SOUND(OP_GETGLOBALFIELD, 0, 3, OP_STOP);
  REFUSED("global", OP_PUSHGETGLOBALFIELD, 11, 0, OP_STOP);
  REFUSED("count", OP_GETGLOBALFIELD, 0, -3, OP_STOP);
  SOUND(OP_C_CALL1, 4, OP_STOP);
  REFUSED("primitive 5, of 5", OP_C_CALL1, 5, OP_STOP);
  SOUND(OP_C_CALLN, 7, 0, OP_STOP);
  REFUSED("primitive", OP_C_CALLN, 7, -1, OP_STOP);
  REFUSED("count", OP_C_CALLN, 0, 0, OP_STOP);
}

TEST(counts_and_tags)
{
  REFUSED("count", OP_ACC, -1, OP_STOP);
  REFUSED("count", OP_POP, -1, OP_STOP);
  REFUSED("count", OP_GETFIELD, -1, OP_STOP);
  REFUSED("count", OP_APPLY, 0, OP_STOP);
  REFUSED("count", OP_APPTERM, 0, 3);
  REFUSED("count", OP_MAKEBLOCK, 0, 0, OP_STOP);
  REFUSED("count", OP_MAKEFLOATBLOCK, 0, OP_STOP);
  SOUND(OP_MAKEBLOCK1, 255, OP_STOP);
  REFUSED("tag", OP_MAKEBLOCK1, 256, OP_STOP);
  REFUSED("count", OP_MAKEBLOCK, 4, -1, OP_STOP);
  REFUSED("tag", OP_MAKEBLOCK, 4, 256, OP_STOP);
  REFUSED("tag", OP_ATOM, 300, OP_STOP);
  SOUND(OP_GETPUBMET, 12345, 0, OP_STOP);
  REFUSED("cache", OP_GETPUBMET, 12345, 8, OP_STOP);
}

/* Random words: it ends and says something; what passes is made of whole instructions. */
TEST(random_words)
{
  for (int round = 0; round < 20000; round++) {
    int32_t code[40];
    size_t words = 1 + rng_below(&unit_rng, 40), at = 0;
    for (size_t i = 0; i < words; i++)
      code[i] = rng_below(&unit_rng, 8) ? (int32_t)rng_below(&unit_rng, OPCODE_COUNT + 2) : (int32_t)rng_below(&unit_rng, 41) - 20;
    if (check(code, words)) {
      while (at < words) {
        size_t length = opcode_words(code + at, words - at);
        REQUIRE(length > 0);
        at += length;
      }
      EXPECT_EQ(at, words);
    } else {
      EXPECT(why[0] != 0);
    }
  }
}

/* As much code as the largest program that we know of: below 10 ms by far. */
TEST(speed)
{
  enum { WORDS = 725000 };
  int32_t *code = malloc(WORDS * sizeof *code);
  REQUIRE(code != NULL);
  for (size_t i = 0; i < WORDS; i += 2) {
    code[i] = OP_BRANCHIF;
    code[i + 1] = i + 2 < WORDS ? 1 : -1;
  }
  code[WORDS - 2] = OP_BRANCH;
  struct timespec from, to;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
  EXPECT(check(code, WORDS));
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
  double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
  if (!UNIT_SANITIZED && ms > 50) UNIT_FAIL("%.1f ms", ms);
  free(code);
}

UNIT_MAIN()
