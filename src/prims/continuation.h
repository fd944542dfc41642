/* SPDX-License-Identifier: MIT */
/* Continuations and the exceptions of effects, for the back ends. */
#ifndef BAC_PRIMS_CONTINUATION_H
#define BAC_PRIMS_CONTINUATION_H

#include "abi/caml.h"

/* Empties the continuation and hands out its first fiber; NULL: it was resumed
 * before. [no gc] */
struct stack_info *continuation_take(value cont);

/* The same suspended stack in a continuation block that no collection has
 * promoted: cont itself, or a new block (then cont is empty). [may gc]; raises
 * Out_of_memory. */
value continuation_renew(value cont);

/* Exception values. [may gc] */
value effect_unhandled(value effect);
value continuation_already_resumed(void);

#endif
