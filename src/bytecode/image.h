/* SPDX-License-Identifier: MIT */
/* A bytecode executable: its table of sections and their bytes.
 *
 *     anything (a #! line, a launcher, a whole runtime)
 *     the sections' bytes, one after the other
 *     for each section: 4 bytes of name, its length
 *     how many sections, magic number (12 bytes)
 *
 * Numbers are 32 bits, big endian. Source: bytecomp/bytesections.ml. What the
 * sections hold is known to their readers; bytecode/check.h checks CODE.
 *
 * An image is read from a file or from memory, and belongs to its caller. No
 * function here needs the collector. */
#ifndef BAC_BYTECODE_IMAGE_H
#define BAC_BYTECODE_IMAGE_H

#include "abi/5.3/version.h"
#include "base/check.h"

#define IMAGE_MAGIC EXEC_MAGIC
enum { IMAGE_MAGIC_SIZE = 12, IMAGE_TRAILER_SIZE = 16, IMAGE_MESSAGE_SIZE = 256 };

/* Names known to this runtime, which must not occur twice. Others are allowed and passed over. */
struct image_section {
  char name[4];
  uint32_t length;
  size_t offset;               /* from the start of the file */
};

struct image {
  int fd;                      /* -1: in memory */
  const char *bytes;           /* the whole file where fd is -1 */
  size_t size;
  uint32_t count;
  struct image_section *sections;
  char magic[IMAGE_MAGIC_SIZE + 1];   /* what the file has */
};

/* The numbers are those of caml_ml_debug_info_status, which stdlib/printexc.ml knows. */
enum image_status {
  IMAGE_OK = 0,
  IMAGE_NOT_FOUND = -1,
  IMAGE_NOT_BYTECODE = -2,     /* no trailer, or a table that is none */
  IMAGE_WRONG_MAGIC = -3,
  IMAGE_NO_FILES = -4,         /* the process has too many open files */
};

/* Opens a file and reads its table. With !scripts a file that starts with #! is
 * no executable. On a failure [image] needs no close. Why a table is none is
 * written to [why] (IMAGE_MESSAGE_SIZE bytes, may be NULL); else it is "". */
enum image_status image_open(struct image *image, const char *path, bool scripts, char *why);
/* The same for a file's contents in memory, which the image does not copy. */
enum image_status image_of_memory(struct image *image, const char *bytes, size_t size, char *why);
void image_close(struct image *image);

/* The last section of this name, NULL: none. */
const struct image_section *image_section(const struct image *image, const char *name);
/* Its bytes, and a zero byte after them; malloc'ed. NULL: no memory, or the
 * file is not what it was. */
char *image_read(const struct image *image, const struct image_section *s);
/* Its bytes into [to]. */
bool image_read_into(const struct image *image, const struct image_section *s, void *to);

#endif
