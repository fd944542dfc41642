/* SPDX-License-Identifier: MIT */
/* The figures of the C ABI that two programs must agree on, as one list: layout_stock.c
 * fills it from the stock headers, layout_ours.c from ours, and compares.
 * A name stands for the same thing on both sides. */
#ifndef BAC_TESTS_ABI_LAYOUT_H
#define BAC_TESTS_ABI_LAYOUT_H

#include <stddef.h>

struct layout_item {
  const char *name;
  unsigned long figure, size;
};
/* Both end with a NULL name. */
extern const struct layout_item layout_stock[], layout_ours[];
extern const struct layout_item layout_stock_state[], layout_ours_state[];

#define LAYOUT_FIELD(type, field) {#type "." #field, offsetof(type, field), sizeof(((type *)0)->field)},
#define LAYOUT_FIGURE(expression) {#expression, (unsigned long)(expression), 0},

#define LAYOUT_FIELDS(X)                                                                   \
  X(struct caml__roots_block, next) X(struct caml__roots_block, ntables)                   \
  X(struct caml__roots_block, nitems) X(struct caml__roots_block, tables)                  \
  X(struct custom_operations, identifier) X(struct custom_operations, finalize)            \
  X(struct custom_operations, compare) X(struct custom_operations, hash)                   \
  X(struct custom_operations, serialize) X(struct custom_operations, deserialize)          \
  X(struct custom_operations, compare_ext) X(struct custom_operations, fixed_length)       \
  X(struct custom_fixed_length, bsize_32) X(struct custom_fixed_length, bsize_64)          \
  X(struct caml_result_private, is_exception) X(struct caml_result_private, data)

#define LAYOUT_FIGURES(X)                                                                  \
  X(sizeof(value)) X(sizeof(header_t)) X(sizeof(caml_domain_state))                        \
  X(sizeof(struct caml__roots_block)) X(sizeof(struct custom_operations))                  \
  X(Forcing_tag) X(Cont_tag) X(Lazy_tag) X(Closure_tag) X(Object_tag) X(Infix_tag)         \
  X(Forward_tag) X(No_scan_tag) X(Abstract_tag) X(String_tag) X(Double_tag)                \
  X(Double_array_tag) X(Custom_tag) X(Max_young_wosize) X(Max_wosize)                      \
  X(Val_unit) X(Val_false) X(Val_true) X(Val_none) X(Val_emptylist) X(Tag_some)            \
  X(Tag_cons) X(Max_long) X(Min_long) X(Double_wosize)

#endif
