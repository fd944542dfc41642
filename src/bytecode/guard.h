/* SPDX-License-Identifier: MIT */
/* C code that wants to see the exceptions of other C code: the loader, before
 * there is a program that could handle any. */
#ifndef BAC_BYTECODE_GUARD_H
#define BAC_BYTECODE_GUARD_H

#include "abi/caml.h"

/* f(arg), or an exception result if it raised. [f] should hold no lock and no memory where it
 * calls something that raises. */
value guard_call(value (*f)(void *), void *arg);

#endif
