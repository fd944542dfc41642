/* SPDX-License-Identifier: MIT */
/* Reading files of the format ELF, 64 bits, of this machine's byte order: sections, notes, symbols and
 * what they want of the dynamic linker. Nothing of the file is run, and nothing in it is believed: each offset is checked.
 *
 * A file is mapped to memory as a whole and belongs to its caller. */
#ifndef BAC_TOOLS_ELF_H
#define BAC_TOOLS_ELF_H

#include "base/vec.h"

#include <elf.h>

struct elf {
  const char *bytes;           /* the whole file, ELF or not */
  size_t size;
  const Elf64_Ehdr *header;    /* NULL: not such a file */
};

/* False: it cannot be read, errno says why. An empty file is one of no bytes. */
bool elf_open(struct elf *e, const char *path);
void elf_close(struct elf *e);

/* Does the file have these bytes anywhere? Their address, or NULL. */
const char *elf_find_bytes(const struct elf *e, const void *bytes, size_t length);

/* The n-th note (from 0) of this owner and type, as text; NULL: there are fewer. */
const char *elf_note(const struct elf *e, const char *owner, unsigned type, size_t n);

/* Is this name defined, for other objects or (in files that are not stripped) at all? */
bool elf_defines(const struct elf *e, const char *name);

/* Does it ask for a dynamic linker, as executables do? */
bool elf_interpreter(const struct elf *e);

/* The n-th string of this tag (DT_NEEDED, DT_RUNPATH ...) in the dynamic section, or NULL. */
const char *elf_dynamic(const struct elf *e, Elf64_Sxword tag, size_t n);

/* Where the dynamic linker would find a library that e, the file of this path, names; malloc'ed, NULL: nowhere. It looks at
 * the same places: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, its cache, the system's folders. */
char *elf_library(const struct elf *e, const char *path, const char *name);

#endif
