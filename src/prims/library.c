/* SPDX-License-Identifier: MIT */
/* Opening shared libraries and finding what they define, for the linker inside the program and for the
 * compiler, which looks for primitives in them. No state. */
#include "prims/library.h"

#include "abi/runtime.h"
#include "gc/message.h"

#include <dlfcn.h>

value library_block(void *address)
{
  value block = caml_alloc_small(1, Abstract_tag);
  Field(block, 0) = (value)address;
  return block;
}

void *library_open(value filename, int flags)
{
  gc_message(MESSAGE_STARTUP, "Opening shared library %s\n", String_val(filename));
  char *name = caml_strdup_of_value(filename);
  caml_enter_blocking_section_no_pending();
  void *handle = dlopen(name, flags);
  caml_leave_blocking_section();
  caml_stat_free(name);
  return handle;
}

bool library_is_builtin(const char *name)
{
  static const char threads[] = "dllthreads";
  const char *slash = strrchr(name, '/');
  const char *base = slash ? slash + 1 : name;
  size_t length = sizeof threads - 1;
  return strncmp(base, threads, length) == 0 && (base[length] == '\0' || strcmp(base + length, ".so") == 0);
}

/* The program stands for what is built in. */
CAMLprim value caml_dynlink_open_lib(value filename)
{
  if (library_is_builtin(String_val(filename))) return library_block(dlopen(NULL, RTLD_NOW));
  void *handle = library_open(filename, RTLD_NOW | RTLD_GLOBAL);
  if (!handle) caml_failwith(dlerror());
  return library_block(handle);
}

CAMLprim value caml_dynlink_close_lib(value handle)
{
  dlclose(library_address(handle));
  return Val_unit;
}

/* Unit where there is no such symbol. */
CAMLprim value caml_dynlink_lookup_symbol(value handle, value name)
{
  void *symbol = dlsym(library_address(handle), String_val(name));
  return symbol ? library_block(symbol) : Val_unit;
}
