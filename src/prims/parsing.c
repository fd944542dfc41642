/* SPDX-License-Identifier: MIT */
/* The automata that ocamlyacc generates: an LALR(1) machine with default
 * reductions, in the packed tables of Berkeley yacc.
 *
 * The machine is a coroutine of Parsing.yyparse: it runs until it needs
 * something that only OCaml code can do (read a token, grow the stacks, run a semantic
 * action, report an error), answers with a request, and is called again with the result.
 * Between calls its registers rest in the environment. Source: stdlib/parsing.ml
 * (the two records, requests and replies), yacc/output.c (the tables).
 *
 * Nothing here allocates. State: the trace flag is in the domain state; p=1 of
 * OCAMLRUNPARAM turns it on for all. */
#include "abi/caml.h"
#include "abi/params.h"

#include <stdarg.h>
#include <stdio.h>

enum table_field {
  T_ACTIONS, T_TRANSL_CONST, T_TRANSL_BLOCK, T_LHS, T_LEN, T_DEFRED, T_DGOTO, T_SINDEX, T_RINDEX,
  T_GINDEX, T_TABLESIZE, T_TABLE, T_CHECK, T_ERROR_FUNCTION, T_NAMES_CONST, T_NAMES_BLOCK,
};

enum env_field {
  E_S_STACK, E_V_STACK, E_SYMB_START_STACK, E_SYMB_END_STACK, E_STACKSIZE, E_STACKBASE, E_CURR_CHAR,
  E_LVAL, E_SYMB_START, E_SYMB_END, E_ASP, E_RULE_LEN, E_RULE_NUMBER, E_SP, E_STATE, E_ERRFLAG,
};

enum reply {
  START, TOKEN_READ, STACKS_GROWN_1, STACKS_GROWN_2, SEMANTIC_ACTION_COMPUTED, ERROR_DETECTED,
};

enum request {
  GO_ON = -1,               /* none: look at the state again */
  READ_TOKEN = 0, RAISE_PARSE_ERROR, GROW_STACKS_1, GROW_STACKS_2, COMPUTE_SEMANTIC_ACTION,
  CALL_ERROR_FUNCTION,
};

/* The token "error" in the tables; no token; tokens to shift after an error
 * before the next one is reported. */
enum { ERROR_TOKEN = 256, NO_TOKEN = -1, ERROR_DISTANCE = 3 };

struct parser {
  value tables, env;
  int state, errflag;
  intnat sp;
};

static int table_at(const struct parser *p, enum table_field table, intnat i)
{
  const unsigned char *at = (const unsigned char *)Field(p->tables, table) + 2 * i;
  return (int16_t)(at[0] | at[1] << 8);
}

static intnat env_get(const struct parser *p, enum env_field f) { return Long_val(Field(p->env, f)); }
static void env_set(struct parser *p, enum env_field f, intnat n) { Field(p->env, f) = Val_long(n); }

static value stack_get(const struct parser *p, enum env_field stack, intnat i)
{
  return Field(Field(p->env, stack), i);
}
static void stack_set(struct parser *p, enum env_field stack, intnat i, value v)
{
  caml_modify(&Field(Field(p->env, stack), i), v);
}

static void push_state(struct parser *p) { Field(Field(p->env, E_S_STACK), p->sp) = Val_int(p->state); }

/* ---- Trace ---- */

static bool is_tracing(void) { return Caml_state->parser_trace || runtime_params.parser_trace; }

static PRINTF_LIKE(1, 2) void trace(const char *format, ...)
{
  if (likely(!is_tracing())) return;
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fflush(stderr);
}

/* [names]: zero-terminated names in a row, then an empty one. */
static const char *token_name(value names, intnat number)
{
  const char *name = String_val(names);
  while (number > 0 && *name) {
    name += strlen(name) + 1;
    number--;
  }
  return *name || number == 0 ? name : "<unknown token>";
}

static void trace_token(const struct parser *p, value token)
{
  if (Is_long(token)) {
    const char *name = token_name(Field(p->tables, T_NAMES_CONST), Long_val(token));
    trace("State %d: read token %s\n", p->state, name);
    return;
  }
  trace("State %d: read token %s(", p->state, token_name(Field(p->tables, T_NAMES_BLOCK), Tag_val(token)));
  value arg = Field(token, 0);
  if (Is_long(arg)) trace("%ld", (long)Long_val(arg));
  else if (Tag_val(arg) == String_tag) trace("%s", String_val(arg));
  else if (Tag_val(arg) == Double_tag) trace("%g", Double_val(arg));
  else trace("_");
  trace(")\n");
}

/* ---- The machine ---- */

/* Looks up row [row] of [index] for [column]: the entry, if it has one. */
static bool find_entry(const struct parser *p, enum table_field index, int row, intnat column, int *entry)
{
  int base = table_at(p, index, row);
  intnat at = base + column;
  if (base == 0 || at < 0 || at > Long_val(Field(p->tables, T_TABLESIZE))) return false;
  if (table_at(p, T_CHECK, at) != column) return false;
  *entry = table_at(p, T_TABLE, at);
  return true;
}

static void push_symbol(struct parser *p)
{
  push_state(p);
  stack_set(p, E_V_STACK, p->sp, Field(p->env, E_LVAL));
  stack_set(p, E_SYMB_START_STACK, p->sp, Field(p->env, E_SYMB_START));
  stack_set(p, E_SYMB_END_STACK, p->sp, Field(p->env, E_SYMB_END));
}

static enum request shift_to(struct parser *p, int to)
{
  trace("State %d: shift to state %d\n", p->state, to);
  p->state = to;
  p->sp++;
  if (p->sp >= env_get(p, E_STACKSIZE)) return GROW_STACKS_1;
  push_symbol(p);
  return GO_ON;
}

static enum request shift_token(struct parser *p, int to)
{
  env_set(p, E_CURR_CHAR, NO_TOKEN);
  if (p->errflag > 0) p->errflag--;
  return shift_to(p, to);
}

static enum request reduce(struct parser *p, int rule)
{
  trace("State %d: reduce by rule %d\n", p->state, rule);
  int length = table_at(p, T_LEN, rule), symbol = table_at(p, T_LHS, rule);
  env_set(p, E_ASP, p->sp);
  env_set(p, E_RULE_NUMBER, rule);
  env_set(p, E_RULE_LEN, length);
  p->sp += 1 - length;
  intnat uncovered = Long_val(stack_get(p, E_S_STACK, p->sp - 1));
  if (!find_entry(p, T_GINDEX, symbol, uncovered, &p->state)) p->state = table_at(p, T_DGOTO, symbol);
  return p->sp < env_get(p, E_STACKSIZE) ? COMPUTE_SEMANTIC_ACTION : GROW_STACKS_2;
}

/* The left-hand side's value takes the place of the right-hand side. An empty
 * rule starts where it ends: at the end of what is before it. */
static void push_reduced(struct parser *p, value result)
{
  intnat last = env_get(p, E_ASP);
  value end = stack_get(p, E_SYMB_END_STACK, last);
  push_state(p);
  stack_set(p, E_V_STACK, p->sp, result);
  stack_set(p, E_SYMB_END_STACK, p->sp, end);
  if (p->sp > last) stack_set(p, E_SYMB_START_STACK, p->sp, end);
}

/* Pops to a state that can shift the token "error". */
static enum request unwind_to_handler(struct parser *p)
{
  int to;
  for (;; p->sp--) {
    int candidate = Int_val(stack_get(p, E_S_STACK, p->sp));
    if (find_entry(p, T_SINDEX, candidate, ERROR_TOKEN, &to)) {
      trace("Recovering in state %d\n", candidate);
      return shift_to(p, to);
    }
    trace("Discarding state %d\n", candidate);
    if (p->sp <= env_get(p, E_STACKBASE)) {
      trace("No more states to discard\n");
      return RAISE_PARSE_ERROR;
    }
  }
}

/* Right after a recovery the offending token goes first, unless it is the last one. */
static enum request recover(struct parser *p)
{
  if (p->errflag < ERROR_DISTANCE) {
    p->errflag = ERROR_DISTANCE;
    return unwind_to_handler(p);
  }
  if (env_get(p, E_CURR_CHAR) == 0) return RAISE_PARSE_ERROR;
  trace("Discarding last token read\n");
  env_set(p, E_CURR_CHAR, NO_TOKEN);
  return GO_ON;
}

static enum request act_on_token(struct parser *p)
{
  intnat token = env_get(p, E_CURR_CHAR);
  int entry;
  if (find_entry(p, T_SINDEX, p->state, token, &entry)) return shift_token(p, entry);
  if (find_entry(p, T_RINDEX, p->state, token, &entry)) return reduce(p, entry);
  return p->errflag > 0 ? recover(p) : CALL_ERROR_FUNCTION;
}

static enum request act_on_state(struct parser *p)
{
  int rule = table_at(p, T_DEFRED, p->state);
  if (rule != 0) return reduce(p, rule);
  if (env_get(p, E_CURR_CHAR) < 0) return READ_TOKEN;
  return act_on_token(p);
}

static enum request take_token(struct parser *p, value token)
{
  bool constant = Is_long(token);
  intnat index = constant ? Long_val(token) : Tag_val(token);
  Field(p->env, E_CURR_CHAR) = Field(Field(p->tables, constant ? T_TRANSL_CONST : T_TRANSL_BLOCK), index);
  caml_modify(&Field(p->env, E_LVAL), constant ? Val_unit : Field(token, 0));
  if (unlikely(is_tracing())) trace_token(p, token);
  return act_on_token(p);
}

static enum request resume(struct parser *p, enum reply reply, value arg)
{
  switch (reply) {
  case START: p->state = p->errflag = 0; return GO_ON;
  case TOKEN_READ: return take_token(p, arg);
  case STACKS_GROWN_1: push_symbol(p); return GO_ON;
  case STACKS_GROWN_2: return COMPUTE_SEMANTIC_ACTION;
  case SEMANTIC_ACTION_COMPUTED: push_reduced(p, arg); return GO_ON;
  case ERROR_DETECTED: return recover(p);
  }
  caml_invalid_argument("Parsing.parse_engine");
}

CAMLprim value caml_parse_engine(value tables, value env, value reply, value arg)
{
  struct parser p = {.tables = tables, .env = env};
  p.sp = env_get(&p, E_SP);
  p.state = (int)env_get(&p, E_STATE);
  p.errflag = (int)env_get(&p, E_ERRFLAG);
  enum request request = resume(&p, (enum reply)Int_val(reply), arg);
  while (request == GO_ON) request = act_on_state(&p);
  env_set(&p, E_SP, p.sp);
  env_set(&p, E_STATE, p.state);
  env_set(&p, E_ERRFLAG, p.errflag);
  return Val_int(request);
}

CAMLprim value caml_set_parser_trace(value flag)
{
  bool old = is_tracing();
  Caml_state->parser_trace = Bool_val(flag);
  return Val_bool(old);
}
