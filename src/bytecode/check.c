/* SPDX-License-Identifier: MIT */
/* Checks bytecode before it runs: the rules are in check.h.
 *
 * One pass goes through the instructions, checks what each can say by itself,
 * and notes where they start and where they lead; then the second set of notes
 * must be part of the first. Only if it is not, another pass finds the
 * instruction to blame. Stateless. */
#include "bytecode/check.h"

#include "bytecode/opcodes.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct checker {
  const int32_t *code;
  size_t words;
  const struct code_limits *limits;
  uint64_t *starts;     /* a bit for each word where an instruction starts */
  uint64_t *targets;    /* a bit for each word that an instruction leads to */
  char *why;
};

static bool COLD PRINTF_LIKE(3, 4) fail(const struct checker *c, size_t at, const char *fmt, ...)
{
  int n = snprintf(c->why, CODE_MESSAGE_SIZE, "word %zu of the code: ", at);
  va_list args;
  va_start(args, fmt);
  vsnprintf(c->why + n, CODE_MESSAGE_SIZE - (size_t)n, fmt, args);
  va_end(args);
  return false;
}

static inline void set_bit(uint64_t *bits, size_t word) { bits[word / 64] |= (uint64_t)1 << word % 64; }
static inline bool is_start(const struct checker *c, size_t word)
{
  return (c->starts[word / 64] >> word % 64 & 1) != 0;
}

/* ---- What an instruction says by itself ---- */

static bool check_at_least(const struct checker *c, size_t at, int32_t operand, int32_t least)
{
  return operand >= least ||
         fail(c, at, "%s with the count %d", opcode_info[c->code[at]].name, operand);
}

static bool check_tag(const struct checker *c, size_t at, int32_t tag)
{
  return (tag >= 0 && tag <= 255) || fail(c, at, "%s with the tag %d", opcode_info[c->code[at]].name, tag);
}

static bool check_index(const struct checker *c, size_t at, int32_t index, size_t limit, const char *table)
{
  return (index >= 0 && (size_t)index < limit) ||
         fail(c, at, "%s of %s %d, of %zu", opcode_info[c->code[at]].name, table, index, limit);
}

/* Instructions whose operands mean more than their shape says. */
static bool check_special(const struct checker *c, size_t at)
{
  const int32_t *op = c->code + at;
  switch (op[0]) {
  case OP_APPLY:
  case OP_APPTERM:
  case OP_MAKEFLOATBLOCK:
    return check_at_least(c, at, op[1], 1);
  case OP_MAKEBLOCK:
    return check_at_least(c, at, op[1], 1) && check_tag(c, at, op[2]);
  case OP_MAKEBLOCK1:
  case OP_MAKEBLOCK2:
  case OP_MAKEBLOCK3:
  case OP_ATOM:
  case OP_PUSHATOM:
    return check_tag(c, at, op[1]);
  case OP_GRAB:
    return (at > 0 && c->code[at - 1] == OP_RESTART && is_start(c, at - 1)) ||
           fail(c, at, "GRAB without a RESTART before it");
  case OP_EVENT:
  case OP_BREAK:
    return fail(c, at, "%s, which only a debugger writes", opcode_info[op[0]].name);
  default:
    return true;
  }
}

/* The operands fit in the code. */
static bool check_operands(const struct checker *c, size_t at)
{
  const int32_t *op = c->code + at;
  switch (opcode_info[op[0]].shape) {
  case SHAPE_UINT:
  case SHAPE_UINT_LABEL:
    return check_at_least(c, at, op[1], 0);
  case SHAPE_UINT_UINT:
    return check_at_least(c, at, op[1], 0) && check_at_least(c, at, op[2], 0);
  case SHAPE_GLOBAL:
    return check_index(c, at, op[1], c->limits->globals, "global");
  case SHAPE_GLOBAL_UINT:
    return check_index(c, at, op[1], c->limits->globals, "global") && check_at_least(c, at, op[2], 0);
  case SHAPE_PRIM:
    return check_index(c, at, op[1], c->limits->primitives, "primitive");
  case SHAPE_UINT_PRIM:
    return check_at_least(c, at, op[1], 1) && check_index(c, at, op[2], c->limits->primitives, "primitive");
  case SHAPE_METHOD:
    return op[2] == 0 || fail(c, at, "%s with a cache that is not empty", opcode_info[op[0]].name);
  case SHAPE_CLOSUREREC:
    return check_at_least(c, at, op[1], 1) && check_at_least(c, at, op[2], 0);
  case SHAPE_NONE:
  case SHAPE_SINT:
  case SHAPE_LABEL:
  case SHAPE_SINT_LABEL:
  case SHAPE_SWITCH:
    return true;
  }
  return fail(c, at, "unknown operands");
}

/* The words of the instruction that hold distances, and the one they are counted
 * from, which is the first of them. */
static size_t label_words(const int32_t *op, size_t at, size_t length, size_t *first)
{
  switch (opcode_info[op[0]].shape) {
  case SHAPE_LABEL: *first = at + 1; return 1;
  case SHAPE_UINT_LABEL:
  case SHAPE_SINT_LABEL: *first = at + 2; return 1;
  case SHAPE_SWITCH: *first = at + 2; return length - 2;
  case SHAPE_CLOSUREREC: *first = at + 3; return length - 3;
  default: return 0;
  }
}

static bool COLD fail_label(const struct checker *c, size_t at, int64_t target)
{
  return fail(c, at, "%s leads to word %lld, where no instruction starts", opcode_info[c->code[at]].name,
              (long long)target);
}

static inline int64_t label_target(const struct checker *c, size_t first, size_t i)
{
  return (int64_t)first + c->code[first + i];
}

static bool note_targets(const struct checker *c, size_t at, size_t length)
{
  size_t first = 0, count = label_words(c->code + at, at, length, &first);
  for (size_t i = 0; i < count; i++) {
    int64_t target = label_target(c, first, i);
    if (unlikely((uint64_t)target >= c->words)) return fail_label(c, at, target);
    set_bit(c->targets, (size_t)target);
  }
  return true;
}

static bool goes_on(int32_t opcode)
{
  switch (opcode) {
  case OP_APPTERM:
  case OP_APPTERM1:
  case OP_APPTERM2:
  case OP_APPTERM3:
  case OP_RETURN:
  case OP_BRANCH:
  case OP_SWITCH:
  case OP_RAISE:
  case OP_RERAISE:
  case OP_RAISE_NOTRACE:
  case OP_RESUMETERM:
  case OP_REPERFORMTERM:
  case OP_STOP:
    return false;
  default:
    return true;
  }
}

/* Instructions of one word about which there is nothing to say but where they are. */
static void find_plain(bool plain[OPCODE_COUNT])
{
  for (int i = 0; i < OPCODE_COUNT; i++) plain[i] = opcode_info[i].shape == SHAPE_NONE;
  plain[OP_EVENT] = plain[OP_BREAK] = false;
}

static bool check_instructions(struct checker *c)
{
  bool plain[OPCODE_COUNT];
  size_t last = 0;
  find_plain(plain);
  for (size_t at = 0; at < c->words;) {
    int32_t opcode = c->code[at];
    if ((uint32_t)opcode >= OPCODE_COUNT) return fail(c, at, "unknown instruction %d", opcode);
    set_bit(c->starts, at);
    last = at;
    if (plain[opcode]) {
      at++;
      continue;
    }
    size_t length = opcode_words(c->code + at, c->words - at);
    if (length == 0) return fail(c, at, "%s is cut off by the end", opcode_info[opcode].name);
    if (!check_operands(c, at) || !check_special(c, at) || !note_targets(c, at, length)) return false;
    at += length;
  }
  return !goes_on(c->code[last]) || fail(c, last, "%s goes on past the end", opcode_info[c->code[last]].name);
}

/* ---- Where it leads ---- */

/* The first instruction that leads to no instruction. */
static bool COLD find_stray(const struct checker *c)
{
  for (size_t at = 0, length; at < c->words; at += length) {
    length = opcode_words(c->code + at, c->words - at);
    size_t first = 0, count = label_words(c->code + at, at, length, &first);
    for (size_t i = 0; i < count; i++)
      if (!is_start(c, (size_t)label_target(c, first, i))) return fail_label(c, at, label_target(c, first, i));
  }
  return true;
}

static bool check_targets(const struct checker *c)
{
  for (size_t i = 0; i <= c->words / 64; i++)
    if (c->targets[i] & ~c->starts[i]) return find_stray(c);
  return true;
}

bool code_check(const int32_t *code, size_t words, const struct code_limits *limits, char why[CODE_MESSAGE_SIZE])
{
  if (words == 0 || words > INT32_MAX) {
    snprintf(why, CODE_MESSAGE_SIZE, "the code has %zu words", words);
    return false;
  }
  size_t chunks = words / 64 + 1;
  uint64_t *bits = calloc(2 * chunks, sizeof *bits);
  if (!bits) {
    snprintf(why, CODE_MESSAGE_SIZE, "no memory to check %zu words of code", words);
    return false;
  }
  struct checker c = {code, words, limits, bits, bits + chunks, why};
  bool ok = check_instructions(&c) && check_targets(&c);
  free(bits);
  return ok;
}
