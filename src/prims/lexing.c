/* SPDX-License-Identifier: MIT */
/* The automata that ocamllex generates, run over a Lexing.lexbuf.
 *
 * The tables are strings of little-endian 16-bit numbers, indexed by state or, for
 * transitions, by base[state] + character (a row-displacement matrix: an entry
 * belongs to a state if [check] says so). Sources: stdlib/lexing.ml for the two
 * records, lex/compact.ml and lex/lexgen.ml for what the tables mean.
 *
 * caml_new_lex_engine also keeps a memory of positions, for "as" bindings: a
 * transition or an accepting state may name a program, a run of byte pairs
 * (to, from) that ends with 255; from = 255 is the current position, or "unset" in an
 * accepting state. A state that is only a final action has its program in [base_code].
 *
 * Nothing here allocates, so the tables are read in place. Only immediate
 * integers are stored. */
#include "abi/caml.h"

enum lexbuf_field {
  LEX_BUFFER = 1, LEX_BUFFER_LEN, LEX_ABS_POS, LEX_START_POS, LEX_CURR_POS, LEX_LAST_POS,
  LEX_LAST_ACTION, LEX_EOF_REACHED, LEX_MEM,
};

enum table_field {
  LEX_BASE, LEX_BACKTRK, LEX_DEFAULT, LEX_TRANS, LEX_CHECK,
  LEX_BASE_CODE, LEX_BACKTRK_CODE, LEX_DEFAULT_CODE, LEX_TRANS_CODE, LEX_CHECK_CODE, LEX_CODE,
};

enum { END_OF_INPUT = 256, END_OF_PROGRAM = 255, NOTHING = -1 };

static int table_at(value tables, enum table_field table, intnat i)
{
  const unsigned char *p = (const unsigned char *)Field(tables, table) + 2 * i;
  return (int16_t)(p[0] | p[1] << 8);
}

/* The tables of the programs are unsigned. */
static int code_table_at(value tables, enum table_field table, intnat i)
{
  return (uint16_t)table_at(tables, table, i);
}

static intnat lexbuf_get(value lexbuf, enum lexbuf_field f) { return Long_val(Field(lexbuf, f)); }
static void lexbuf_set(value lexbuf, enum lexbuf_field f, intnat n) { Field(lexbuf, f) = Val_long(n); }

/* Runs the program at [start]; [now] is what the number 255 stands for. */
static void run_program(value tables, intnat start, value memory, intnat now)
{
  const unsigned char *code = (const unsigned char *)Field(tables, LEX_CODE) + start;
  for (; code[0] != END_OF_PROGRAM; code += 2)
    Field(memory, code[0]) = code[1] == END_OF_PROGRAM ? Val_long(now) : Field(memory, code[1]);
}

/* The program that belongs to the transition from [state] on [c]; 0: none. */
static int transition_program(value tables, int state, int c)
{
  intnat entry = code_table_at(tables, LEX_BASE_CODE, state) + c;
  bool is_own = table_at(tables, LEX_CHECK_CODE, entry) == state;
  return is_own ? code_table_at(tables, LEX_TRANS_CODE, entry)
                : code_table_at(tables, LEX_DEFAULT_CODE, state);
}

static int next_state(value tables, int state, intnat base, int c)
{
  intnat entry = base + c;
  bool is_own = table_at(tables, LEX_CHECK, entry) == state;
  return is_own ? table_at(tables, LEX_TRANS, entry) : table_at(tables, LEX_DEFAULT, state);
}

/* The program that an accepting state has in [table]. */
static void run_accepting(value tables, enum table_field table, int state, value lexbuf)
{
  run_program(tables, code_table_at(tables, table, state), Field(lexbuf, LEX_MEM), NOTHING);
}

static void accept_so_far(value tables, int state, value lexbuf, intnat at, bool with_memory)
{
  int action = table_at(tables, LEX_BACKTRK, state);
  if (action < 0) return;
  if (with_memory) run_accepting(tables, LEX_BACKTRK_CODE, state, lexbuf);
  lexbuf_set(lexbuf, LEX_LAST_POS, at);
  lexbuf_set(lexbuf, LEX_LAST_ACTION, action);
}

/* No transition is left: back to the longest match. */
static value finish_match(value lexbuf)
{
  intnat action = lexbuf_get(lexbuf, LEX_LAST_ACTION);
  lexbuf_set(lexbuf, LEX_CURR_POS, lexbuf_get(lexbuf, LEX_LAST_POS));
  if (action == NOTHING) caml_failwith("lexing: empty token");
  return Val_long(action);
}

/* Returns the action, or -1 - state when the buffer is to be refilled; the caller
 * then comes back with that number as [start]. */
static inline __attribute__((always_inline)) value run_automaton(value tables, intnat start,
                                                                 value lexbuf, const bool with_memory)
{
  intnat at = lexbuf_get(lexbuf, LEX_CURR_POS);
  int state = (int)(start >= 0 ? start : -start - 1);
  if (start >= 0) {
    lexbuf_set(lexbuf, LEX_START_POS, at);
    lexbuf_set(lexbuf, LEX_LAST_POS, at);
    lexbuf_set(lexbuf, LEX_LAST_ACTION, NOTHING);
  }
  const unsigned char *buffer = Bytes_val(Field(lexbuf, LEX_BUFFER));
  intnat length = lexbuf_get(lexbuf, LEX_BUFFER_LEN);
  for (;;) {
    int c = END_OF_INPUT, base = table_at(tables, LEX_BASE, state), from = state;
    lexbuf_set(lexbuf, LEX_CURR_POS, at);
    if (base < 0) {
      if (with_memory) run_accepting(tables, LEX_BASE_CODE, state, lexbuf);
      return Val_int(-base - 1);
    }
    accept_so_far(tables, state, lexbuf, at, with_memory);
    if (at < length) c = buffer[at++];
    else if (Field(lexbuf, LEX_EOF_REACHED) == Val_false) return Val_int(-state - 1);
    state = next_state(tables, from, base, c);
    if (state < 0) return finish_match(lexbuf);
    if (with_memory) {
      int program = transition_program(tables, from, c);
      if (program > 0) run_program(tables, program, Field(lexbuf, LEX_MEM), at);
    }
    if (c == END_OF_INPUT) Field(lexbuf, LEX_EOF_REACHED) = Val_false;
  }
}

CAMLprim value caml_lex_engine(value tables, value start, value lexbuf)
{
  return run_automaton(tables, Long_val(start), lexbuf, false);
}

CAMLprim value caml_new_lex_engine(value tables, value start, value lexbuf)
{
  return run_automaton(tables, Long_val(start), lexbuf, true);
}
