/* SPDX-License-Identifier: MIT */
/* A stack for signal handlers in each thread that runs OCaml code: a fiber may be too small for them.
 * State: a thread-specific value, the memory, which goes with the thread. */
#include "native/native.h"

#include "os/os.h"

#include <pthread.h>
#include <signal.h>

enum { ALTSTACK_BYTES = 64 * 1024 };

static pthread_once_t altstack_once = PTHREAD_ONCE_INIT;
static pthread_key_t altstack_key;

static void altstack_free(void *memory)
{
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  os_free(memory, ALTSTACK_BYTES);
}

static void altstack_key_create(void)
{
  if (pthread_key_create(&altstack_key, altstack_free) != 0) bac_fatal("cannot start: no thread-specific data");
}

/* A host program's own is kept. */
void altstack_install(void)
{
  stack_t now;
  pthread_once(&altstack_once, altstack_key_create);
  if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE)) return;
  void *memory = os_alloc(ALTSTACK_BYTES);
  if (!memory) bac_fatal("out of memory: no stack for signal handlers");
  pthread_setspecific(altstack_key, memory);
  sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = ALTSTACK_BYTES}, NULL);
}
