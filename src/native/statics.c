/* SPDX-License-Identifier: MIT */
/* What the linker put into the program: the tables of the startup file (asmcomp/asmlink.ml, make_startup_file).
 *
 * Static blocks are not in the heap and the collector passes over them. Those that may come to refer to the heap, the modules'
 * blocks, are listed for each unit in a table of addresses ended by 0; the table of all units is caml_globals. A unit's entry
 * function sets its globals by plain stores; when it has ended, caml_globals_inited has gone up by one, and later stores go
 * through the barrier. So a minor collection looks at the units that were initialised since the last one, and at the
 * next, which is being initialised.
 *
 * State: how far minor collections have looked [stw]; the root tables of units that were linked dynamically
 * [lock:statics.lock to add, stw]. */
#include "abi/codefrag.h"
#include "base/vec.h"
#include "native/frames.h"
#include "native/native.h"
#include "prims/md5.h"

extern value *caml_globals[];
extern const void *const caml_frametable[];
extern struct code_segment { char *begin, *end; } caml_code_segments[];

CAMLexport intnat caml_globals_inited = 0;

static struct {
  struct lock lock;             /* RANK_ABI */
  intnat scanned;
  VEC(value *) linked;
} statics = {.lock = LOCK_INIT(RANK_ABI)};

/* ---- Roots ---- */

static void unit_scan(value *const unit, struct root_visitor *v)
{
  for (value *block = unit; *block != 0; block++) v->visit(v, Op_val(*block), Wosize_val(*block));
}

void statics_scan(struct root_visitor *v)
{
  for (intnat i = v->young_only ? statics.scanned : 0; i <= caml_globals_inited && caml_globals[i]; i++)
    unit_scan(caml_globals[i], v);
  for (size_t i = 0; i < statics.linked.len; i++) unit_scan(statics.linked.at[i], v);
  if (v->young_only) statics.scanned = caml_globals_inited;
}

/* ---- Code ---- */

static void code_digest(const void *start, const void *end, unsigned char digest[CODEFRAG_DIGEST_SIZE])
{
  struct md5 md5;
  md5_init(&md5);
  md5_update(&md5, start, (size_t)((const char *)end - (const char *)start));
  md5_final(&md5, digest);
}

static void fragment_register(const char *start, const char *end, codefrag_digester *digester)
{
  if (!codefrag_register(start, end, NULL, digester)) bac_fatal("out of memory for the table of code");
}

/* All units' code is one fragment: the linker lays them one behind the other. */
static void code_register(void)
{
  char *start = caml_code_segments[0].begin, *end = caml_code_segments[0].end;
  for (struct code_segment *s = caml_code_segments; s->begin; s++) {
    if (s->begin < start) start = s->begin;
    if (s->end > end) end = s->end;
  }
  fragment_register(start, end, code_digest);
  fragment_register(caml_system__code_begin, caml_system__code_end, NULL);
}

void statics_init(void)
{
  frames_add_tables(caml_frametable);
  code_register();
}

void statics_add(const void *frame_table, value *roots, const char *code, const char *code_end)
{
  if (frame_table) frames_add_tables((const void *const[]){frame_table, NULL});
  if (roots) {
    lock_acquire(&statics.lock);
    *vec_push(&statics.linked) = roots;
    lock_release(&statics.lock);
  }
  if (code && code_end) fragment_register(code, code_end, code_digest);
}
