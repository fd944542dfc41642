/* SPDX-License-Identifier: MIT */
/* Checks bytecode before it runs: the rules are in check.h.
 *
 * The first pass goes through the instructions, checks what each can say by
 * itself and notes where they start; the second goes through them again and
 * checks where they lead. Stateless. */
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
  uint64_t *starts;     /* one bit for each word */
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

static bool is_start(const struct checker *c, size_t word)
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

static bool check_instructions(struct checker *c)
{
  size_t last = 0;
  for (size_t at = 0; at < c->words;) {
    int32_t opcode = c->code[at];
    size_t length = opcode_words(c->code + at, c->words - at);
    if (length == 0 && (opcode < 0 || opcode >= OPCODE_COUNT)) return fail(c, at, "unknown instruction %d", opcode);
    if (length == 0) return fail(c, at, "%s is cut off by the end", opcode_info[opcode].name);
    c->starts[at / 64] |= (uint64_t)1 << at % 64;
    if (!check_operands(c, at) || !check_special(c, at)) return false;
    last = at;
    at += length;
  }
  return !goes_on(c->code[last]) || fail(c, last, "%s goes on past the end", opcode_info[c->code[last]].name);
}

/* ---- Where it leads ---- */

static bool check_label(const struct checker *c, size_t at, size_t from, int32_t distance)
{
  int64_t target = (int64_t)from + distance;
  if (likely(target >= 0 && target < (int64_t)c->words && is_start(c, (size_t)target))) return true;
  return fail(c, at, "%s leads to word %lld, where no instruction starts", opcode_info[c->code[at]].name,
              (long long)target);
}

static bool check_label_table(const struct checker *c, size_t at, size_t first, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (!check_label(c, at, first, c->code[first + i])) return false;
  return true;
}

static bool check_labels(const struct checker *c)
{
  for (size_t at = 0; at < c->words;) {
    const int32_t *op = c->code + at;
    size_t length = opcode_words(op, c->words - at);
    bool ok = true;
    switch (opcode_info[op[0]].shape) {
    case SHAPE_LABEL: ok = check_label(c, at, at + 1, op[1]); break;
    case SHAPE_UINT_LABEL:
    case SHAPE_SINT_LABEL: ok = check_label(c, at, at + 2, op[2]); break;
    case SHAPE_SWITCH: ok = check_label_table(c, at, at + 2, length - 2); break;
    case SHAPE_CLOSUREREC: ok = check_label_table(c, at, at + 3, length - 3); break;
    default: break;
    }
    if (!ok) return false;
    at += length;
  }
  return true;
}

bool code_check(const int32_t *code, size_t words, const struct code_limits *limits, char why[CODE_MESSAGE_SIZE])
{
  struct checker c = {code, words, limits, NULL, why};
  if (words == 0 || words > INT32_MAX) {
    snprintf(why, CODE_MESSAGE_SIZE, "the code has %zu words", words);
    return false;
  }
  c.starts = calloc(words / 64 + 1, sizeof *c.starts);
  if (!c.starts) {
    snprintf(why, CODE_MESSAGE_SIZE, "no memory to check %zu words of code", words);
    return false;
  }
  bool ok = check_instructions(&c) && check_labels(&c);
  free(c.starts);
  return ok;
}
