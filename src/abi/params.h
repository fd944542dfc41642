/* SPDX-License-Identifier: MIT */
/* The parameters that the environment gives a program at start:
 * OCAMLRUNPARAM, or CAMLRUNPARAM where that is not set.
 *
 *     params  ::= item { "," item }           empty items are skipped
 *     item    ::= letter                      the value is 1
 *               | letter "=" [ number ]       no number: 1
 *               | "X" name [ "=" [ number ] ]
 *     number  ::= decimal or 0x hexadecimal, then at most one of k, M, G
 *
 * Letters: b c d e l M m n o p R s t v V W as stock's manual describes them, the 4.x
 * letters a h H i O w, which 5.x dropped, with their old meaning; X names: limit,
 * stress, markers. An item that is none of these is ignored after one line of warning.
 *
 * What concerns the collector goes into its struct gc_params, the rest is
 * struct runtime_params below. Both are filled before the collector starts. */
#ifndef BAC_ABI_PARAMS_H
#define BAC_ABI_PARAMS_H

#include "gc/gc.h"

struct runtime_params {
  size_t backtrace;        /* b [const] 0 off, 1 on, 2 also read debugging information at start */
  size_t cleanup_on_exit;  /* c [const] */
  size_t event_log_words;  /* e [const] log2 of the words of a ring */
  size_t stack_words;      /* l [atomic: relaxed] limit of a fiber's stack; Gc.set changes it */
  size_t parser_trace;     /* p [const] */
  size_t trace;            /* t [const] */
  size_t warnings;         /* W [atomic: relaxed] Sys.enable_runtime_warnings changes it */
};
extern struct runtime_params runtime_params;

/* Reads one such text into *gc and *runtime, which hold the defaults. [warn]
 * is called for each item that is ignored, with its text and length; may be NULL. */
void params_parse(const char *text, struct gc_params *gc, struct runtime_params *runtime,
                  void (*warn)(const char *item, size_t length));

/* Reads the environment into *gc and runtime_params. A number of domains that
 * is out of range is fatal, as in stock. */
void params_read_environment(struct gc_params *gc);

/* Is a runtime warning to be printed? The first time that it is, a line that
 * says how to control them is printed before it. */
int caml_runtime_warnings_active(void);

#endif
