/* SPDX-License-Identifier: MIT */
/* Growable arrays.
 *
 *     VEC(value *) fields = VEC_EMPTY;
 *     *vec_push(&fields) = f;
 *     for (size_t i = 0; i < fields.len; i++) ... fields.at[i] ...
 *
 * Growth uses the C heap; where it fails, vec_push ends the process with one
 * line: the collector cannot go on without its tables. Whoever can refuse instead asks vec_try_reserve before. */
#ifndef BAC_BASE_VEC_H
#define BAC_BASE_VEC_H

#include "base/memory.h"

#include <stdlib.h>

#define VEC(type) struct { type *at; size_t len, cap; }
#define VEC_EMPTY { NULL, 0, 0 }

/* Returns the array grown to hold at least [need] items; updates *cap. */
void *vec_grow(void *at, size_t *cap, size_t need, size_t item_size);
/* The same; NULL where the C heap refuses, with the array and *cap as they were. */
void *vec_try_grow(void *at, size_t *cap, size_t need, size_t item_size);

#define vec_reserve(v, n) \
  ((n) <= (v)->cap \
     ? (void)0 \
     : (void)((v)->at = vec_grow((v)->at, &(v)->cap, (n), sizeof *(v)->at)))

/* Is there room for [n] items? False: the C heap refuses, and the array is as it was. */
#define vec_try_reserve(v, n) \
  ({ \
    bool room_ = (n) <= (v)->cap; \
    if (!room_) { \
      void *grown_ = vec_try_grow((v)->at, &(v)->cap, (n), sizeof *(v)->at); \
      if ((room_ = grown_ != NULL)) (v)->at = grown_; \
    } \
    room_; \
  })

/* A pointer to a new last item, not initialised. */
#define vec_push(v) (vec_reserve(v, (v)->len + 1), &(v)->at[(v)->len++])
#define vec_pop(v) ((v)->at[--(v)->len])
#define vec_clear(v) ((v)->len = 0)
#define vec_free(v) (mem_free((v)->at), (v)->at = NULL, (v)->len = (v)->cap = 0)

#endif
