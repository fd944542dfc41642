/* SPDX-License-Identifier: MIT */
/* Fatal errors and warnings.
 *
 * A message is put together in a buffer on the stack and leaves by one write,
 * so that those of several threads do not mix and nothing is allocated when
 * memory is what ran out. A message longer than the buffer is cut. No state;
 * any thread. */
#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4096 };

static void stderr_write(const char *text, size_t len)
{
  while (len > 0) {
    ssize_t n = write(STDERR_FILENO, text, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    len -= (size_t)n;
  }
}

/* Writes [prefix], the formatted message and a newline. */
static void PRINTF_LIKE(2, 0) message_write(const char *prefix, const char *fmt, va_list args)
{
  char text[MESSAGE_MAX];
  size_t room = sizeof text - 1;
  size_t len = strlen(prefix);
  memcpy(text, prefix, len);
  int n = vsnprintf(text + len, room - len, fmt, args);
  if (n > 0) len += (size_t)n < room - len ? (size_t)n : room - len - 1;
  text[len++] = '\n';
  stderr_write(text, len);
}

void bac_fatal(const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  message_write("Fatal error: ", fmt, args);
  va_end(args);
  abort();
}

void bac_warn(const char *fmt, ...)
{
  int saved = errno;
  va_list args;
  va_start(args, fmt);
  message_write("[bactrian] ", fmt, args);
  va_end(args);
  errno = saved;
}

void bac_check_failed(const char *file, int line, const char *what)
{
  bac_fatal("check failed at %s:%d: %s", file, line, what);
}
