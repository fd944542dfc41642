/* SPDX-License-Identifier: MIT */
#include <caml/mlvalues.h>
#include <stdlib.h>
/* A block of the C heap that is not there any more. */
value ext_freed(value unit)
{
  value *p = malloc(4 * sizeof *p);
  p[0] = Val_int(0);
  free(p);
  return (value)p;
}
