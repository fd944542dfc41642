/* SPDX-License-Identifier: MIT */
/* Code made ready to run, and read back.
 *
 * Each opcode word is replaced by the distance of its label in the interpreter
 * loop. A call of a primitive of inlined.tbl gets the label that does what the primitive does. Where an instruction
 * and the next ones are a sequence of sequences.tbl, the first one's
 * word names the label that does all of them; the others' are what they would be without it, since there may be
 * jumps to them. So code keeps its length and all its addresses.
 *
 * State: tables made from constants by interp_init, then [const]. */
#include "bytecode/bytecode.h"
#include "bytecode/labels.h"

#include <stdlib.h>

struct label_opcode { int32_t word; int opcode; };

enum { SEQUENCE_MOST = 4 };

static const struct sequence { uint8_t length, parts[SEQUENCE_MOST]; } sequences[] = {
#define SEQUENCE(name, ...) {sizeof (uint8_t[]){__VA_ARGS__}, {__VA_ARGS__}},
#include "bytecode/each_sequence.tbl"
};
_Static_assert(FIRST_SEQUENCE <= UINT8_MAX, "parts are numbered by a byte");

/* What may be said of the labels read so far: they are the beginning of sequences, of which some may end here.
 * State 1 + n has read the single label n. */
enum { STATES_MOST = 1 + FIRST_SEQUENCE + countof(sequences) * (SEQUENCE_MOST - 1), STEPS = 4096 };
_Static_assert(STATES_MOST < STEPS / 2, "the table of steps has room");

struct step {
  uint16_t from, label, to;      /* from == 0: a free slot */
};

static struct {
  const int32_t *words;                          /* by enum loop_label */
  struct label_opcode inverse[LABELS];           /* sorted by word */
  struct step steps[STEPS];                      /* by hash */
  uint16_t ends[STATES_MOST];                    /* the label of the sequence that ends in a state; 0: none does */
  uint16_t states;
  opcode_t fiber_return, stop;                   /* code of one instruction each */
} thread;

/* ---- Sequences ---- */

/* The step, or the free slot where it would be. */
static struct step *step_find(unsigned from, unsigned label)
{
  unsigned at = (from * 263 + label) % STEPS;
  while (thread.steps[at].from != 0 && (thread.steps[at].from != from || thread.steps[at].label != label)) at = (at + 1) % STEPS;
  return &thread.steps[at];
}

static void sequence_add(const struct sequence *s, int label)
{
  unsigned state = 1 + s->parts[0];
  for (int i = 1; i < s->length; i++) {
    struct step *step = step_find(state, s->parts[i]);
    if (step->from == 0) *step = (struct step){(uint16_t)state, s->parts[i], thread.states++};
    state = step->to;
  }
  thread.ends[state] = (uint16_t)label;
}

static void sequences_init(void)
{
  thread.states = 1 + FIRST_SEQUENCE;
  for (size_t i = 0; i < countof(sequences); i++) sequence_add(&sequences[i], FIRST_SEQUENCE + (int)i);
}

/* The label of the longest sequence that the labels begin with, or the first of them. */
static int sequence_longest(const uint8_t *labels, int count)
{
  int found = labels[0];
  unsigned state = 1 + labels[0];
  for (int i = 1; i < count; i++) {
    state = step_find(state, labels[i])->to;
    if (state == 0) break;
    if (thread.ends[state] != 0) found = thread.ends[state];
  }
  return found;
}

/* ---- Reading back ---- */

static int label_compare(const void *a, const void *b)
{
  int32_t x = ((const struct label_opcode *)a)->word, y = ((const struct label_opcode *)b)->word;
  return (x > y) - (x < y);
}

/* A sequence reads back as its first instruction, an inlined primitive as its call. */
static void inverse_init(void)
{
  int opcodes[LABELS];
  for (int i = 0; i < FIRST_INLINED; i++) opcodes[i] = i;
  inlined_init(opcodes);
  for (int i = FIRST_SEQUENCE; i < LABELS; i++) opcodes[i] = opcodes[sequences[i - FIRST_SEQUENCE].parts[0]];
  for (int i = 0; i < LABELS; i++) thread.inverse[i] = (struct label_opcode){thread.words[i], opcodes[i]};
  qsort(thread.inverse, LABELS, sizeof thread.inverse[0], label_compare);
  for (int i = 1; i < LABELS; i++) CHECK(thread.inverse[i - 1].word != thread.inverse[i].word);
}

int interp_opcode_at(const opcode_t *pc)
{
  const struct label_opcode key = {*pc, 0}, *found =
      bsearch(&key, thread.inverse, LABELS, sizeof key, label_compare);
  return found ? found->opcode : -1;
}

/* ---- Threading ---- */

void interp_init(void)
{
  if (thread.words) return;
  thread.words = interp_labels();
  inverse_init();
  sequences_init();
  thread.fiber_return = thread.words[OP_FIBER_RETURN];
  thread.stop = thread.words[OP_STOP];
}

code_t interp_fiber_return(void) { return &thread.fiber_return; }
code_t interp_stop(void) { return &thread.stop; }

opcode_t interp_word(int opcode) { return thread.words[opcode]; }

/* The label of the checked instruction at [pc], taken by itself. */
static uint8_t label_at(const opcode_t *pc)
{
  return (uint8_t)(*pc >= OP_C_CALL1 && *pc <= OP_C_CALL5 ? inlined_label(*pc, bytecode_prims[pc[1]]) : *pc);
}

/* The next instructions, whose words are not replaced yet. */
struct lookahead {
  size_t at[SEQUENCE_MOST];
  uint8_t labels[SEQUENCE_MOST];
  int count;
};

static void lookahead_drop_first(struct lookahead *w)
{
  w->count--;
  memmove(&w->at[0], &w->at[1], (SEQUENCE_MOST - 1) * sizeof w->at[0]);
  memmove(&w->labels[0], &w->labels[1], (SEQUENCE_MOST - 1) * sizeof w->labels[0]);
}

static void thread_fused(code_t code, size_t words)
{
  struct lookahead w = {.count = 0};
  for (size_t end = 0;; lookahead_drop_first(&w)) {
    while (w.count < SEQUENCE_MOST && end < words) {
      size_t length = opcode_words(code + end, words - end);
      CHECK(length != 0);
      w.at[w.count] = end;
      w.labels[w.count++] = label_at(code + end);
      end += length;
    }
    if (w.count == 0) return;
    code[w.at[0]] = thread.words[sequence_longest(w.labels, w.count)];
  }
}

void interp_thread_code(code_t code, size_t words, bool fused)
{
  if (fused) {
    thread_fused(code, words);
    return;
  }
  for (size_t i = 0, length; i < words; i += length) {
    length = opcode_words(code + i, words - i);
    CHECK(length != 0);
    code[i] = thread.words[code[i]];
  }
}
