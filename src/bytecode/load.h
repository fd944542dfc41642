/* SPDX-License-Identifier: MIT */
/* From an image to a program that can run: code, primitives and global data,
 * all checked. The collector runs already; the caller is the first domain.
 *
 * What is loaded belongs to struct program; the table of primitives is the
 * process's (dynlink.h), so there is one program at a time. */
#ifndef BAC_BYTECODE_LOAD_H
#define BAC_BYTECODE_LOAD_H

#include "bytecode/dynlink.h"
#include "bytecode/image.h"
#include "heap/value.h"

enum { LOAD_MESSAGE_SIZE = DYNLINK_MESSAGE_SIZE };

enum load_status {
  LOAD_OK,
  LOAD_DAMAGED,      /* the image is not what a compiler writes */
  LOAD_UNLINKABLE,   /* a section, library or primitive is missing */
};

struct program {
  code_t code;       /* malloc'ed; not threaded yet */
  size_t words;
  value globals;     /* the table of globals; not a root: install it before anything allocates */
};

/* [may gc]. On a failure [why] says what is wrong, and nothing is left to free. Unless it is [to_run], no
 * code that the program names is run either: its libraries stay closed. */
enum load_status program_load(const struct image *image, bool to_run, struct program *out, char why[LOAD_MESSAGE_SIZE]);
/* Checks code against a table of globals and the primitives; used by both ways to start. */
bool program_check(const struct program *p, char why[LOAD_MESSAGE_SIZE]);
/* For a program that shall not run. */
void program_drop(struct program *p);

/* Gives C code that raises while nothing is loaded the predefined exceptions. [may gc] */
void globals_install_predefined(void);
/* Global data from a marshalled message. Val_unit: [why]. [may gc] */
value globals_read(const char *data, size_t size, char why[LOAD_MESSAGE_SIZE]);

#endif
