/* SPDX-License-Identifier: MIT */
/* Marshalling, reading: what the files that read a message share.
 *
 *   intern.c         a reading from its header to its end, memory, errors
 *   intern_graph.c   the data becomes the graph: blocks, closures, the walk
 *   intern_custom.c  custom blocks, and what their deserialize functions call
 *
 * The bytes may come from anywhere, so nothing in them is believed. Before it is used,
 * - each read is checked against the end of the data;
 * - each block is checked against the words and objects that the header
 *   claims, and (but for custom blocks) against the bytes left, of which each
 *   field takes at least one; a block of at most seven fields may have none of
 *   them, which is noticed when they are read. Of the words claimed no more count than so many bytes can
 *   make: memory is bounded by what was really sent;
 * - each reference is checked against the objects built so far;
 * - tags that the collector gives a meaning to are accepted in the form of code
 *   that is theirs only, and the head of a closure is checked word by word.
 * What this cannot give is type safety: a well-formed message of another type
 * than the program expects is as harmful as the Marshal module says.
 *
 * A message of at most Max_young_wosize words is built in one piece of the
 * nursery; of a larger one each block goes to the major heap. Nothing moves
 * and no collector looks while the graph is built; all fields are set to
 * Val_unit before they are read, so what an error leaves behind is sound. There is no
 * recursion: the rest of each block that is under way waits on a stack.
 *
 * An error jumps back to intern_data, which tidies up and raises; so do the
 * caml_deserialize_* functions, that stubs call from a custom block's deserialize function.
 *
 * STATE. struct intern_state, one for each domain, made at first use. Table, stack and buffer are kept from one message to the next, unless
 * they are large.
 *
 * Design page: docs/design/marshal.md. Tests: tests/fuzz/marshal_fuzz.c. */
#ifndef BAC_PRIMS_INTERN_H
#define BAC_PRIMS_INTERN_H

#include "heap/heap.h"
#include "prims/marshal.h"

#include <setjmp.h>

enum { INTERN_NAME_SHOWN = 200, INTERN_OPS_KNOWN = 4 };

/* Fields that are still to be read; or, left == 0, an object whose first two
 * fields have been read and that gets a fresh identity. */
struct pending {
  value *at;
  uintnat left;
};

struct intern_state {
  const unsigned char *next, *end;
  size_t room;                   /* words that blocks may take before intern_grant is to be asked */
  size_t granted;                /* what room was; the difference, the collector does not know of, unless it is in the nursery piece */
  size_t words_left;             /* that the data can make and the header claims, beyond room */
  size_t custom_words;           /* what it claims beyond that is for custom blocks, which may be larger than their data */
  header_t *chunk;               /* next free word of the nursery piece; NULL: major heap */
  header_t *chunk_start;
  struct allocator *heap;        /* the major heap's, for all but finalised blocks; NULL: by gc_alloc_major */
  value *object;                 /* the next one's place in the table; NULL: none may be referred to */
  value *objects, *objects_end;
  struct pending *stack;
  size_t depth, stack_cap;
  bool absolute;                 /* references count from the first object */
  bool profiled;                 /* each block is told to the memory profiler */
  struct domain *domain;
  struct marshal_header header;
  const char *who;
  value *table;                  /* on the C heap, of table_cap objects */
  size_t table_cap;
  struct caml_output_block *buffer;  /* for the next message from a channel, or NULL */
  void *memory;                  /* the caller's, freed at the end */
  unsigned char *plain;          /* decompressed data */
  unsigned char *scratch;        /* where a custom block is deserialised */
  size_t scratch_size;
  const struct custom_operations *known_ops[INTERN_OPS_KNOWN];   /* met in this message */
  bool no_memory;                /* what the jump is for, or: */
  char message[INTERN_NAME_SHOWN + 100];
  jmp_buf failed;
};

/* ---- Errors: they jump to intern_data ---- */

COLD _Noreturn void intern_fail(struct intern_state *s, const char *what);
COLD _Noreturn void intern_fail_name(struct intern_state *s, const char *what, const char *name);
COLD _Noreturn void intern_truncated(struct intern_state *s);
COLD _Noreturn void intern_ill_formed(struct intern_state *s);
COLD _Noreturn void intern_no_memory(struct intern_state *s);

/* ---- The data ---- */

static inline size_t bytes_left(const struct intern_state *s) { return (size_t)(s->end - s->next); }

static inline const unsigned char *take(struct intern_state *s, size_t n)
{
  if (unlikely(bytes_left(s) < n)) intern_truncated(s);
  const unsigned char *p = s->next;
  s->next += n;
  return p;
}

static inline uint8_t take8(struct intern_state *s) { return *take(s, 1); }
static inline uint16_t take16(struct intern_state *s) { return load_be16(take(s, 2)); }
static inline uint32_t take32(struct intern_state *s) { return load_be32(take(s, 4)); }
static inline uint64_t take64(struct intern_state *s) { return load_be64(take(s, 8)); }

/* ---- Blocks ---- */

/* Makes room for a block of [size] fields, or finds that the claims do not allow it. */
void intern_grant(struct intern_state *s, mlsize_t size);
/* A block within the claims; its fields are not set. [kind]: where it would be in the major heap. */
value intern_block(struct intern_state *s, mlsize_t size, tag_t tag, unsigned kind);
/* The same, whatever the claims say, in the major heap, and known to the collector. */
value intern_unclaimed_block(struct intern_state *s, mlsize_t size, tag_t tag);

/* Gives v the next number. */
static INLINED void number_object(struct intern_state *s, value v)
{
  if (s->object == NULL) return;
  if (unlikely(s->object == s->objects_end)) intern_ill_formed(s);
  *s->object++ = v;
}

/* The data from s->next on becomes the graph that *root refers to. */
void intern_graph(struct intern_state *s, value *root);
/* A custom block; its code has been read. */
value intern_custom(struct intern_state *s, unsigned code);

#endif
