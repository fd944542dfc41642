/* SPDX-License-Identifier: MIT */
/* Finding the method of an object by its tag, the hash of its name.
 *
 * A class's table of methods (stdlib/camlinternalOO.ml, new_table) begins with the count n
 * of public methods and a mask, then n pairs of method and tag, sorted by tag.
 * The mask cuts any number to a byte offset of a pair that lies in the table, so a call
 * site's remembered offset may be tried without further checks.
 *
 * No state. */
#include "prims/method.h"

#include "sync/atomic.h"

enum { METHODS_COUNT = 0, METHODS_MASK = 1, METHODS_FIRST = 2, METHODS_FIRST_TAG = 3 };

/* The pair that has the tag, or where a missing tag would have led. 0 <= result < count. */
static mlsize_t method_pair(value methods, value tag)
{
  mlsize_t low = 0, high = (mlsize_t)Long_val(Field(methods, METHODS_COUNT)) - 1;
  while (low < high) {
    mlsize_t middle = (low + high + 1) / 2;
    if (tag < Field(methods, METHODS_FIRST_TAG + 2 * middle)) high = middle - 1;
    else low = middle;
  }
  return low;
}

CAMLprim value caml_get_public_method(value object, value tag)
{
  value methods = Class_val(object);
  if (Long_val(Field(methods, METHODS_COUNT)) <= 0) return 0;
  mlsize_t pair = method_pair(methods, tag);
  return Field(methods, METHODS_FIRST_TAG + 2 * pair) == tag
             ? Field(methods, METHODS_FIRST + 2 * pair)
             : 0;
}

value method_lookup(value object, value tag, int32_t *hint)
{
  value methods = Class_val(object);
  uintnat offset = (uintnat)load_relaxed(hint) & (uintnat)Field(methods, METHODS_MASK);
  value *guess = (value *)((char *)&Field(methods, METHODS_FIRST_TAG) + offset);
  if (likely(*guess == tag)) return guess[-1];
  mlsize_t pair = method_pair(methods, tag);
  store_relaxed(hint, (int32_t)(pair * 2 * sizeof(value)));
  return Field(methods, METHODS_FIRST + 2 * pair);
}
