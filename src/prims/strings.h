/* SPDX-License-Identifier: MIT */
/* Strings, for the other primitives. */
#ifndef BAC_PRIMS_STRINGS_H
#define BAC_PRIMS_STRINGS_H

#include "abi/caml.h"

/* -1, 0 or 1: the order of String.compare, bytewise. [no gc] */
int strings_order(value a, value b);

/* The length in bytes, as stubs know it. */
mlsize_t caml_string_length(value s);
/* Nonzero: no NUL inside. */
int caml_string_is_c_safe(value s);

#endif
