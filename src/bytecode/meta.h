/* SPDX-License-Identifier: MIT */
/* Making code known to the process. */
#ifndef BAC_BYTECODE_META_H
#define BAC_BYTECODE_META_H

#include "heap/value.h"

/* Registers checked code as a fragment (its digest is [digest], or the MD5 of
 * the code as it is now where that is NULL) and threads it. False: no memory. */
bool code_install(code_t code, size_t words, const unsigned char *digest);
/* Forgets it again; nobody runs it any more. Does not free it. */
void code_uninstall(code_t code);

#endif
