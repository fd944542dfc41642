/* SPDX-License-Identifier: MIT */
/* Method lookup, for both back ends. */
#ifndef BAC_PRIMS_METHOD_H
#define BAC_PRIMS_METHOD_H

#include "abi/caml.h"

/* The public method of this tag (an integer), or 0. [no gc] */
value caml_get_public_method(value object, value tag);
/* The same, for a method that exists. *hint is any 32-bit word of the call site,
 * read and written without order: a guess at the place in the method table. */
value method_lookup(value object, value tag, int32_t *hint);

#endif
