/* SPDX-License-Identifier: MIT */
/* The interrupted thread's registers, as a signal handler has them, for each architecture. */
#ifndef BAC_NATIVE_CONTEXT_H
#define BAC_NATIVE_CONTEXT_H

#include "native/native.h"

#include <ucontext.h>

#if defined(__x86_64__)

static inline uintptr_t context_sp(const ucontext_t *c) { return (uintptr_t)c->uc_mcontext.gregs[REG_RSP]; }

/* When the handler returns, the thread calls function(st) on the C stack that begins at [bottom]. */
static inline void context_call(ucontext_t *c, void (*function)(caml_domain_state *), caml_domain_state *st, void *bottom)
{
  c->uc_mcontext.gregs[REG_RIP] = (greg_t)function;
  c->uc_mcontext.gregs[REG_RDI] = (greg_t)st;
  c->uc_mcontext.gregs[REG_RSP] = (greg_t)bottom - 8;
}

#endif
#endif
