/* SPDX-License-Identifier: MIT */
/* What names this version of OCaml. */
#ifndef BAC_ABI_5_3_VERSION_H
#define BAC_ABI_5_3_VERSION_H

#define OCAML_VERSION_TEXT "5.3.0"
#define EXEC_MAGIC "Caml1999X035"

#endif
