/* SPDX-License-Identifier: MIT */
/* The note by which a binary says which Bactrian is in it: an ELF note of the owner "Bactrian" whose text is
 *
 *     VERSION ocaml=VERSION|- mode=release|debug backend=bytecode|native|c
 *
 * It is loaded, so stripping leaves it there. `bactrian doctor` reads it. One line in one file of each back end, a file that each
 * program has: RUNTIME_NOTE(OCAML_VERSION_TEXT, "native") */
#ifndef BAC_BASE_NOTE_H
#define BAC_BASE_NOTE_H

#define BACTRIAN_VERSION "0.1"
#define NOTE_SECTION ".note.bactrian"
#define NOTE_OWNER "Bactrian"
enum { NOTE_TYPE = 1 };

#ifdef BAC_DEBUG
#define NOTE_MODE "debug"
#else
#define NOTE_MODE "release"
#endif

/* Lengths of owner and text with their final zeros, the type, the two, each padded to 4 bytes. */
#define RUNTIME_NOTE(ocaml, backend)                                                                   \
  __asm__(".pushsection " NOTE_SECTION ",\"a\",%note\n"                                                \
          ".balign 4\n"                                                                                \
          ".long 2f-1f, 4f-3f, 1\n"                                                                    \
          "1: .asciz \"" NOTE_OWNER "\"\n"                                                             \
          "2: .balign 4\n"                                                                             \
          "3: .asciz \"" BACTRIAN_VERSION " ocaml=" ocaml " mode=" NOTE_MODE " backend=" backend "\"\n" \
          "4: .balign 4\n"                                                                             \
          ".popsection")

#endif
