/* SPDX-License-Identifier: MIT */
/* Runtime events, for the start and the end of the program. The names are the ABI's. */
#ifndef BAC_PRIMS_RUNTIME_EVENTS_H
#define BAC_PRIMS_RUNTIME_EVENTS_H

/* Reads OCAML_RUNTIME_EVENTS_DIR, _START, _PRESERVE; starts the rings if these say so. After runtime_params
 * and the first domain are there. [may gc] */
void caml_runtime_events_init(void);
/* Ends the rings; the file goes unless it is to be preserved. [may gc] */
void caml_runtime_events_destroy(void);
/* In the child of a fork. [may gc] */
void caml_runtime_events_post_fork(void);

#endif
