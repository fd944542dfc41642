/* SPDX-License-Identifier: MIT */
/* Code made ready to run, and read back.
 *
 * Each opcode word is replaced by the distance of its label in the interpreter
 * loop. Where an instruction and the next one are a pair of pairs.tbl, the first one's
 * word names the label that does both; the second one's stays what it is alone, since there may be
 * jumps to it. So code keeps its length and all its addresses.
 *
 * State: tables made from constants by interp_init, then [const]. */
#include "bytecode/bytecode.h"
#include "bytecode/labels.h"

#include <stdlib.h>

struct label_opcode { int32_t word; int opcode; };

static struct {
  const int32_t *words;                          /* by enum loop_label */
  struct label_opcode inverse[LABELS];           /* sorted by word */
  uint8_t pair[OPCODE_COUNT][OPCODE_COUNT];      /* 1 + index of the pair; 0: none */
  opcode_t fiber_return, stop;                   /* code of one instruction each */
} thread;

static const struct { uint8_t first, second; } pairs[] = {
#define PAIR(first, second) {OP_##first, OP_##second},
#include "bytecode/pairs.tbl"
#undef PAIR
};
_Static_assert(countof(pairs) < UINT8_MAX, "pairs are numbered by a byte");

static int label_compare(const void *a, const void *b)
{
  int32_t x = ((const struct label_opcode *)a)->word, y = ((const struct label_opcode *)b)->word;
  return (x > y) - (x < y);
}

/* A pair reads back as its first instruction. */
static void inverse_init(void)
{
  for (int i = 0; i < LABELS; i++) {
    int opcode = i < FIRST_PAIR ? i : pairs[i - FIRST_PAIR].first;
    thread.inverse[i] = (struct label_opcode){thread.words[i], opcode};
  }
  qsort(thread.inverse, LABELS, sizeof thread.inverse[0], label_compare);
  for (int i = 1; i < LABELS; i++) CHECK(thread.inverse[i - 1].word != thread.inverse[i].word);
}

void interp_init(void)
{
  if (thread.words) return;
  thread.words = interp_labels();
  inverse_init();
  for (size_t i = 0; i < countof(pairs); i++)
    thread.pair[pairs[i].first][pairs[i].second] = (uint8_t)(i + 1);
  thread.fiber_return = thread.words[OP_FIBER_RETURN];
  thread.stop = thread.words[OP_STOP];
}

code_t interp_fiber_return(void) { return &thread.fiber_return; }
code_t interp_stop(void) { return &thread.stop; }

opcode_t interp_word(int opcode) { return thread.words[opcode]; }

void interp_thread_code(code_t code, size_t words, bool with_pairs)
{
  for (size_t i = 0, next; i < words; i = next) {
    size_t length = opcode_words(code + i, words - i);
    CHECK(length != 0);
    next = i + length;
    int32_t opcode = code[i];
    unsigned pair = 0;
    if (with_pairs && next < words && (uint32_t)code[next] < OPCODE_COUNT) pair = thread.pair[opcode][code[next]];
    code[i] = thread.words[pair ? FIRST_PAIR + (int)pair - 1 : opcode];
  }
}

int interp_opcode_at(const opcode_t *pc)
{
  const struct label_opcode key = {*pc, 0}, *found =
      bsearch(&key, thread.inverse, LABELS, sizeof key, label_compare);
  return found ? found->opcode : -1;
}
