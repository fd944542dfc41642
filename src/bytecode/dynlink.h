/* SPDX-License-Identifier: MIT */
/* The table of C primitives that code calls by number, and the shared libraries
 * that provide those which are not built in.
 *
 * The table (bytecode_prims) is filled when the program is loaded; dynamic
 * linking and the toplevel add to its end. Source of the order in which
 * libraries are looked for: the manual, "The runtime system". */
#ifndef BAC_BYTECODE_DYNLINK_H
#define BAC_BYTECODE_DYNLINK_H

#include "abi/caml.h"
#include "bytecode/search.h"

/* Those built in: two parallel arrays that end in NULL, written by
 * tools/primitives or, for a custom runtime, by ocamlc. */
typedef intptr_t (*c_primitive)(void);
extern const c_primitive caml_builtin_cprim[];
extern const char *const caml_names_of_builtin_cprim[];

/* A list of strings as the sections PRIM, DLLS and DLPT hold it: each ended by a zero
 * byte, and a zero byte or the end after the last. NULL bytes: the empty list. */
struct string_section {
  const char *bytes;
  size_t length;               /* bytes[length] is a zero byte */
};

struct image;
/* The bytes of a section of an executable, malloc'ed; NULL where there is no such section. False: it cannot be read. */
bool section_read(const struct image *image, const char *name, struct string_section *out);
/* The value that a section of marshalled data holds, or an exception result. [may gc] */
value section_value(struct string_section section);

/* A directory of the option -I. Before anything else here. */
void dynlink_add_directory(const char *dir);
/* Completes the search path: CAML_LD_LIBRARY_PATH, the program's own list, ld.conf. */
void dynlink_complete_path(struct string_section dlpt);
/* The last part of it: one directory a line. */
void dynlink_add_ld_conf(void);
const struct search_path *dynlink_path(void);
/* OCAMLLIB, CAMLLIB, or where the standard library was when this runtime was built. */
const char *caml_get_stdlib_location(void);
const char *dynlink_default_library(void);

/* Opens the libraries that are not built in and fills the table with these primitives. False: what is missing
 * stands in [why]. Unless it is to run, no library is opened, since that would run code of its own: what is not built in
 * then passes where the program names libraries. Single-threaded. */
enum { DYNLINK_MESSAGE_SIZE = 1024 };
bool dynlink_program(struct string_section dlls, struct string_section names, bool to_run, char why[DYNLINK_MESSAGE_SIZE]);
/* Fills it with all that is built in (a program that is linked with the runtime). */
void dynlink_builtin(void);
/* Closes the libraries and empties table and path. */
void dynlink_clear(void);

size_t dynlink_primitives(void);   /* how many there are */

#endif
