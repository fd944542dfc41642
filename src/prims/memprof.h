/* SPDX-License-Identifier: MIT */
/* The memory profiler, for the back ends. */
#ifndef BAC_PRIMS_MEMPROF_H
#define BAC_PRIMS_MEMPROF_H

#include "abi/caml.h"
#include "observe/memprof.h"

/* As gc_nursery_alloc, for OCaml code, where callbacks may run at an allocation. A sampled
 * allocation calls its callback first. Val_unit, and young_ptr was moved down; or an exception result, and nothing
 * was allocated. [may run OCaml] */
value memprof_nursery_alloc_exn(struct domain *d, size_t whsize);

/* The same for up to MEMPROF_GROUP_MOST blocks that OCaml code allocates together, from the highest address down; each has
 * its callback. [site]: the first slot of its callstack, NULL: the one of the others. */
enum { MEMPROF_GROUP_MOST = 255 };
struct memprof_block { size_t whsize; void *site; };
value memprof_nursery_group_exn(struct domain *d, const struct memprof_block *blocks, size_t count);

/* From the back end: see memprof_callstack. */
size_t backend_callstack(void **slots, size_t max);

#endif
