/* SPDX-License-Identifier: MIT */
/* What manuals forbid and libraries do: a C pointer where a value is expected. */
#include <caml/mlvalues.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { WORDS = 8 };

/* A pointer behind [header], as if it were a block's. */
static value behind(uintnat header)
{
  uintnat *p = malloc(WORDS * sizeof *p);
  for (int i = 0; i < WORDS; i++) p[i] = header;
  return (value)(p + 1);
}

/* The page is there no more: who looks at it dies. */
static value to_nowhere(void)
{
  void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page, 4096);
  return (value)page + 64;
}

value naked_make(value kind)
{
  static uintnat in_data[WORDS];
  uintnat on_stack[2];
  switch (Int_val(kind)) {
  case 0: return behind(~(uintnat)0);
  case 1: return behind(0);
  case 2: return behind((uintnat)1000 << 10);                     /* a white block of 1,000 fields */
  case 3: return behind((uintnat)6 << 10 | 1 << 8 | 250);         /* a forwarding tag */
  case 4: return behind((uintnat)4 << 10 | 2 << 8 | Custom_tag);
  case 5: return behind((uintnat)4 << 10 | Infix_tag);
  case 6: return behind((uintnat)4 << 10 | Closure_tag);
  case 7: return (value)&in_data[1];
  case 8: return (value)((uintnat)&naked_make & ~(uintnat)1);
  case 9: return (value)((uintnat)&on_stack & ~(uintnat)7);
  case 10: return (value)NULL;
  default: return to_nowhere();
  }
}

value naked_kinds(value unit) { return Val_int(12); }
value naked_bits(value naked) { return Val_long((intnat)naked >> 1); }
