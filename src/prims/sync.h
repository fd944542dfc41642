/* SPDX-License-Identifier: MIT */
/* Mutexes and condition variables of OCaml code, for C code that shares them:
 * the end of a domain announces its result through both. */
#ifndef BAC_PRIMS_SYNC_H
#define BAC_PRIMS_SYNC_H

#include "abi/caml.h"

struct sync_mutex;

/* Locks the mutex and keeps its storage until sync_mutex_let_go, also if the
 * block dies meanwhile. The caller must not hold it. May wait in a blocking
 * section: [may gc]. */
struct sync_mutex *sync_mutex_hold(value mutex);
/* Unlocks. Needs no domain. */
void sync_mutex_let_go(struct sync_mutex *m);

/* Raises what stands for an errno value; 0: nothing. */
void sync_check_error(int error, const char *who);

#endif
