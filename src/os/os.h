/* SPDX-License-Identifier: MIT */
/* What the runtime asks of the operating system. One file for each system
 * implements it (os_linux.c). Sizes are bytes; nothing here knows OCaml.
 *
 * Every call that can fail reports it by its result; none ends the process.
 * Tests make the Nth such call fail: see os_fault_arm. */
#ifndef BAC_OS_OS_H
#define BAC_OS_OS_H

#include "base/check.h"

/* Address space. A reservation commits nothing: it may not be touched until
 * os_commit. What is reserved is a multiple of os_page_size(), which is 4 KiB to 64 KiB; other ranges lie as they like: all pages
 * that a range touches are committed, and those that lie in it as a whole go back. */
size_t os_page_size(void);
void *os_reserve(size_t size, size_t align);     /* NULL: no room */
void os_unreserve(void *base, size_t size);
bool os_commit(void *base, size_t size);         /* readable, writable, zero when new */
void os_decommit(void *base, size_t size);       /* memory goes back; reads as zero, still committed */
void os_hint_huge(void *base, size_t size);      /* ask for huge pages; no error */

/* Fresh zeroed memory of its own, and its return. */
void *os_alloc(size_t size);                     /* NULL: no memory */
void os_free(void *base, size_t size);

/* Limits: SIZE_MAX where there is none. */
size_t os_address_space_limit(void);             /* RLIMIT_AS */
size_t os_memory_limit(void);                    /* of the container: of control groups, version 2 or 1 */
/* The same as told by other files than the system's: [membership] as /proc/self/cgroup, [root] the folder
 * where the tree of groups stands. */
size_t os_memory_limit_of(const char *membership, const char *root);
size_t os_peak_rss(void);                        /* of this process */
unsigned os_cores(void);                         /* usable by this process, at least 1 */

uint64_t os_now_ns(void);                        /* monotonic clock */

/* Sleeps while *word == expected, at most [timeout_ns] (0: no limit). May
 * return early; callers test their condition again. */
void os_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns);
/* Wakes up to [count] sleepers on word. */
void os_wake(const uint32_t *word, int count);

void os_yield(void);
static inline void os_relax(void)
{
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

unsigned os_core(void);     /* the core that this thread is on, by a number that the system gives it */

/* A thread that nobody joins. 0 or an errno value; EAGAIN: no room, perhaps only until threads that have ended are gone. The new thread has all signals
 * blocked but those that signal an error, and a stack for their handlers (sigaltstack), of so many bytes. */
enum { OS_SIGNAL_STACK_BYTES = 64 * 1024 };
int os_thread_start(void (*run)(void *arg), void *arg);
/* Waits until the last thread that has ended is gone, or 0.1 ms for one that is about to end. [blocks] */
void os_threads_settle(void);
/* Waits until no thread of os_thread_start is left, to its last instruction; all of them are ending. */
void os_threads_end(void);

/* Fault injection: the [nth] fallible call from now on (1: the next) fails,
 * once. 0 disarms. Returns how many such calls were made since the last arm. */
uint64_t os_fault_arm(uint64_t nth);
/* Bounds of the calling thread's stack, up to where it may grow; of a thread that was started here the lower one is too low by what the C
 * library has at the top, some KiB. False: not known. */
bool os_thread_stack(char **low, size_t *size);

#endif
