/* SPDX-License-Identifier: MIT */
/* Memory of the C heap that goes with the runtime: what is not freed before is freed by mem_free_all, when the
 * runtime is shut down in a process that goes on. Any thread may call these at any time; no lock of ours needs to be free. */
#ifndef BAC_BASE_MEMORY_H
#define BAC_BASE_MEMORY_H

#include "base/check.h"

/* As malloc, calloc, realloc, free and strdup. Sizes of 0 are 1. NULL: no memory. */
void *mem_alloc(size_t size);
void *mem_calloc(size_t n, size_t size);
void *mem_resize(void *p, size_t size);
void mem_free(void *p);
char *mem_strdup(const char *s);

void mem_free_all(void);

#endif
