/* SPDX-License-Identifier: MIT */
/* Shared libraries as OCaml values. */
#ifndef BAC_PRIMS_LIBRARY_H
#define BAC_PRIMS_LIBRARY_H

#include "abi/caml.h"

/* A C address (of a library, of a symbol) in a block that the collector does not look into. [may gc] */
value library_block(void *address);
static inline void *library_address(value block) { return (void *)Field(block, 0); }

/* dlopen in a blocking section; NULL: dlerror says why not. [may gc] */
void *library_open(value filename, int flags);

/* Does the runtime itself have the primitives of this library? Its name, with or without folder and suffix. Such a
 * library is never opened: stock's would want stock's insides. */
bool library_is_builtin(const char *name);

#endif
