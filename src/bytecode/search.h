/* SPDX-License-Identifier: MIT */
/* Search paths: lists of directories, as in PATH and CAML_LD_LIBRARY_PATH.
 * A list belongs to its caller; no locks. Strings are malloc'ed. */
#ifndef BAC_BYTECODE_SEARCH_H
#define BAC_BYTECODE_SEARCH_H

#include "base/vec.h"

struct search_path {
  VEC(char *) dirs;
};

void search_path_add(struct search_path *p, const char *dir, size_t length);
/* The parts of a text between colons, empty ones too; NULL: none. */
void search_path_add_colons(struct search_path *p, const char *text);
void search_path_free(struct search_path *p);

/* The first regular file of this name in the directories (an empty one is the
 * current one), or a copy of the name where there is none or it has a slash. */
char *search_path_find(const struct search_path *p, const char *name);
/* The same along PATH. */
char *search_executable(const char *name);

/* The file that this process runs: /proc/self/exe. NULL: not known. */
char *search_own_executable(void);

#endif
