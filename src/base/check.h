/* SPDX-License-Identifier: MIT */
/* Checks and fatal errors.
 *
 * CHECK is on in every build and costs one branch: it guards what must never
 * be wrong, even in release. DCHECK exists in MODE=debug and in the sanitizer
 * builds only. The heap verifier uses neither: it reports through its own
 * functions, so that it works the same in any build. */
#ifndef BAC_BASE_CHECK_H
#define BAC_BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define NOINLINE __attribute__((noinline))
#define INLINED inline __attribute__((always_inline))
#define COLD __attribute__((noinline, cold))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Prints "Fatal error: <message>" and a newline on stderr, then abort(). */
_Noreturn void bac_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* One warning line on stderr: "[bactrian] <message>". */
void bac_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);

_Noreturn void bac_check_failed(const char *file, int line, const char *what);

#define CHECK(cond) \
  (likely(cond) ? (void)0 : bac_check_failed(__FILE__, __LINE__, #cond))

#ifdef BAC_DEBUG
#define DCHECK(cond) CHECK(cond)
#else
#define DCHECK(cond) ((void)sizeof(!(cond)))
#endif

#define container_of(ptr, type, member) \
  ((type *)((char *)(ptr) - offsetof(type, member)))
#define countof(array) (sizeof(array) / sizeof((array)[0]))

#endif
