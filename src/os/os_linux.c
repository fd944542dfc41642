/* SPDX-License-Identifier: MIT */
/* The operating system's contract (os.h) on Linux.
 *
 * Address space is reserved with PROT_NONE and MAP_NORESERVE, so that it costs
 * no memory and no commit charge; a commit is one mprotect, whatever its size;
 * memory goes back by madvise, which leaves the mapping whole. Limits are read
 * from the process limits and from the container's control group (version 2, for memory
 * also version 1), from the process's own group up to the root, since each level binds.
 *
 * State: one static struct, the armed fault and the cached number of cores,
 * both atomic. Every function may be called by any thread. */
#define _GNU_SOURCE
#include "os/os.h"

#include "base/bits.h"
#include "base/sanitizers.h"
#include "sync/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct {
  uint64_t fallible_calls;   /* [atomic] since the last arm */
  uint64_t failing_call;     /* [atomic] the one that is to fail; 0: none */
  unsigned cores;            /* [atomic] 0: not asked yet */
} os;

/* ---- Fault injection ---- */

uint64_t os_fault_arm(uint64_t nth)
{
  store_seq(&os.failing_call, 0);
  uint64_t made = exchange_seq(&os.fallible_calls, 0);
  store_seq(&os.failing_call, nth);
  return made;
}

/* Counts a fallible call; true: this one has to fail. */
static bool fault_hits(void)
{
  uint64_t call = add_seq(&os.fallible_calls, 1) + 1;
  return unlikely(call == load_seq(&os.failing_call));
}

/* ---- Address space ---- */

size_t os_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static void *map_anonymous(size_t size, int prot, int flags)
{
  void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static void *reserve_plain(size_t size) { return map_anonymous(size, PROT_NONE, MAP_NORESERVE); }

/* Reserves [align] more than asked and gives back what lies outside. */
static void *reserve_and_trim(size_t size, size_t align)
{
  size_t padded;
  if (!add_fits(size, align, &padded)) return NULL;
  char *base = reserve_plain(padded);
  if (base == NULL) return NULL;
  char *start = (char *)align_up((size_t)base, align);
  size_t before = (size_t)(start - base);
  size_t after = padded - before - size;
  if (before > 0) munmap(base, before);
  if (after > 0) munmap(start + size, after);
  return start;
}

void *os_reserve(size_t size, size_t align)
{
  CHECK(is_pow2(align));
  if (fault_hits()) return NULL;
  /* First without padding: under a tight limit the padding may not fit. */
  char *base = reserve_plain(size);
  if (base == NULL || ((size_t)base & (align - 1)) == 0) return base;
  munmap(base, size);
  return reserve_and_trim(size, align);
}

void os_unreserve(void *base, size_t size) { munmap(base, size); }

bool os_commit(void *base, size_t size)
{
  if (fault_hits()) return false;
  size_t page = os_page_size(), start = align_down((size_t)base, page), end = align_up((size_t)base + size, page);
  return mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) == 0;
}

void os_decommit(void *base, size_t size)
{
  char *start = base, *end = start + size;
  char *from = (char *)align_up((size_t)start, os_page_size()), *to = (char *)align_down((size_t)end, os_page_size());
  /* Locked pages (mlockall) cannot be dropped; the promise is that all reads as zero. */
  if (from >= to || madvise(from, (size_t)(to - from), MADV_DONTNEED) != 0) from = to = end;
  memset(start, 0, (size_t)(from - start));
  memset(to, 0, (size_t)(end - to));
}

void os_hint_huge(void *base, size_t size)
{
  int saved = errno;
  (void)madvise(base, size, MADV_HUGEPAGE);
  errno = saved;
}

void *os_alloc(size_t size)
{
  if (fault_hits()) return NULL;
  return map_anonymous(size, PROT_READ | PROT_WRITE, 0);
}

void os_free(void *base, size_t size) { munmap(base, size); }

/* ---- Limits ---- */

size_t os_address_space_limit(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return (size_t)limit.rlim_cur;
}

size_t os_peak_rss(void)
{
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return (size_t)usage.ru_maxrss * 1024;
}

/* Reads a small file into [text], ended by a NUL. False: it cannot be read. */
static bool file_read(const char *path, char *text, size_t room)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t len = 0;
  ssize_t n;
  while (len < room - 1 && (n = read(fd, text + len, room - 1 - len)) > 0) len += (size_t)n;
  close(fd);
  text[len] = '\0';
  return len > 0;
}

struct cgroups { const char *membership, *root; };
static const struct cgroups cgroups = { "/proc/self/cgroup", "/sys/fs/cgroup" };

/* These files are read at each start. C's functions for numbers and formats would be used for nothing else in many a program, and
 * each is 64 KiB of the C library in memory: a fifth of what a small program has. */

static const char *find(const char *from, const char *end, char c)
{
  while (from < end && *from != c) from++;
  return from;
}

/* A decimal number, of which *text is moved to the end. False: there is none, or it is too large. */
static bool number_read(const char **text, size_t *number)
{
  const char *at = *text;
  size_t n = 0;
  for (; *at >= '0' && *at <= '9'; at++)
    if (!mul_fits(n, 10, &n) || !add_fits(n, (size_t)(*at - '0'), &n)) return false;
  bool any = at != *text;
  *text = at;
  *number = n;
  return any;
}

/* Does the path leave our namespace? */
static bool path_climbs(const char *path, const char *end)
{
  for (; end - path >= 3; path++)
    if (memcmp(path, "/..", 3) == 0) return true;
  return false;
}

/* The path in a line "number:controllers:path", if it is one of [controller]; version 2 has the number 0 and the
 * controller "". NULL: it is not, or lies outside of our namespace. */
static const char *cgroup_path_of_line(const char *line, const char *end, const char *controller)
{
  const char *list = find(line, end, ':'), *path = list < end ? find(list + 1, end, ':') : end;
  if (end - path < 2 || path[1] != '/' || path_climbs(path, end)) return NULL;
  size_t len = strlen(controller);
  if (len == 0) return path == list + 1 && list == line + 1 && *line == '0' ? path + 1 : NULL;
  for (const char *name = list + 1, *after; name <= path; name = after + 1) {
    after = find(name, path, ',');
    if ((size_t)(after - name) == len && memcmp(name, controller, len) == 0) return path + 1;
  }
  return NULL;
}

/* Path of this process's control group below the root: "" for the root itself and where it is unknown. */
static void cgroup_own_path(const struct cgroups *groups, const char *controller, char *path, size_t room)
{
  char text[2 * PATH_MAX];
  path[0] = '\0';
  if (!file_read(groups->membership, text, sizeof text)) return;
  const char *end = text + strlen(text);
  for (const char *line = text, *after; line < end; line = after + 1) {
    after = find(line, end, '\n');
    const char *own = cgroup_path_of_line(line, after, controller);
    size_t len = own != NULL ? (size_t)(after - own) : 0;
    if (len < 2 || len >= room) continue;
    memcpy(path, own, len);
    path[len] = '\0';
  }
}

/* root/controller own/file; false: it is too long. */
static bool cgroup_file_path(char *path, size_t room, const char *root, const char *controller, const char *own, const char *file)
{
  if (strlen(root) + strlen(controller) + strlen(own) + strlen(file) + 3 > room) return false;
  path = stpcpy(stpcpy(path, root), "/");
  path = stpcpy(stpcpy(stpcpy(path, controller), own), "/");
  stpcpy(path, file);
  return true;
}

/* Calls visit on the text of [file] of each control group from the process's own up to the root. Version 1 has a tree for
 * each controller, in a folder of that name. A tree may show only a part of the path, as in a container: then
 * its root is the container's. */
static void cgroup_walk(const struct cgroups *groups, const char *controller, const char *file,
                        void (*visit)(const char *text, size_t *least), size_t *least)
{
  char own[PATH_MAX], path[2 * PATH_MAX], text[128];
  cgroup_own_path(groups, controller, own, sizeof own);
  for (;;) {
    if (cgroup_file_path(path, sizeof path, groups->root, controller, own, file) && file_read(path, text, sizeof text))
      visit(text, least);
    char *last = strrchr(own, '/');
    if (last == NULL) return;
    *last = '\0';
  }
}

/* memory.max: "max" or a number of bytes; memory.limit_in_bytes: a number, without a limit the largest that is a multiple
 * of the page size. */
static void visit_memory_max(const char *text, size_t *least)
{
  size_t bytes;
  if (number_read(&text, &bytes) && bytes < INT64_MAX / 2) *least = min_size(*least, bytes);
}

/* cpu.max: "max <period>" or "<quota> <period>"; a part of a core counts as one. */
static void visit_cpu_max(const char *text, size_t *least)
{
  size_t quota, period;
  if (!number_read(&text, &quota) || *text++ != ' ' || !number_read(&text, &period)) return;
  if (quota > 0 && period > 0) *least = min_size(*least, div_up(quota, period));
}

size_t os_memory_limit_of(const char *membership, const char *root)
{
  int saved = errno;
  size_t least = SIZE_MAX;
  const struct cgroups groups = { membership, root };
  cgroup_walk(&groups, "", "memory.max", visit_memory_max, &least);
  cgroup_walk(&groups, "memory", "memory.limit_in_bytes", visit_memory_max, &least);
  errno = saved;
  return least;
}

size_t os_memory_limit(void) { return os_memory_limit_of(cgroups.membership, cgroups.root); }

/* As many as Linux knows on any machine. */
enum { CPUS_MOST = 8192 };

/* Cores that the scheduler may put this thread on. */
static size_t affinity_cores(void)
{
  uint64_t set[CPUS_MOST / 64];
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof set, set);
  size_t count = 0;
  for (long i = 0; i < bytes / (long)sizeof set[0]; i++) count += (size_t)__builtin_popcountll(set[i]);
  return max_size(count, 1);
}

unsigned os_cores(void)
{
  unsigned known = load_relaxed(&os.cores);
  if (likely(known != 0)) return known;
  int saved = errno;
  size_t cores = affinity_cores();
  cgroup_walk(&cgroups, "", "cpu.max", visit_cpu_max, &cores);
  errno = saved;
  known = (unsigned)max_size(cores, 1);
  store_relaxed(&os.cores, known);
  return known;
}

/* ---- Time and waiting ---- */

enum { NS_PER_SECOND = 1000000000 };

uint64_t os_now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

void os_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
  int saved = errno;
  struct timespec limit = {
    .tv_sec = (time_t)(timeout_ns / NS_PER_SECOND),
    .tv_nsec = (long)(timeout_ns % NS_PER_SECOND),
  };
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns == 0 ? NULL : &limit, NULL, 0);
  errno = saved;
}

void os_wake(const uint32_t *word, int count)
{
  int saved = errno;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
  errno = saved;
}

unsigned os_core(void) { return (unsigned)sched_getcpu(); }

void os_yield(void) { sched_yield(); }

/* ---- Threads ---- */

/* So that none is ever left with an instruction to go in code that may be unloaded, each thread that ends joins the one that
 * ended before (or os_threads_settle did). All [atomic]. */
static struct {
  pthread_t last;                /* 0: none */
  uint32_t started, joined;      /* joined: futex */
  pthread_once_t once;
} ended = {.once = PTHREAD_ONCE_INIT};

static void ended_forget(void)
{
  __atomic_store_n(&ended.last, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&ended.started, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&ended.joined, 0, __ATOMIC_RELAXED);
}
static void ended_survives_fork(void) { pthread_atfork(NULL, NULL, ended_forget); }

static bool ended_join(pthread_t next)
{
  pthread_t before = __atomic_exchange_n(&ended.last, next, __ATOMIC_ACQ_REL);
  if (before == 0) return false;
  pthread_join(before, NULL);
  __atomic_fetch_add(&ended.joined, 1, __ATOMIC_SEQ_CST);
  return true;
}

#if UNDER_TSAN
/* In a process that ends without shutting the runtime down nobody joins the last thread. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "report_thread_leaks=0"; }
#endif

enum { END_POLL_NS = 100 * 1000 };

void os_threads_end(void)
{
  for (;;) {
    uint32_t joined = __atomic_load_n(&ended.joined, __ATOMIC_SEQ_CST);
    if (joined == __atomic_load_n(&ended.started, __ATOMIC_SEQ_CST)) return;
    if (!ended_join(0)) os_wait(&ended.joined, joined, END_POLL_NS);
  }
}

void os_threads_settle(void)
{
  uint32_t joined = __atomic_load_n(&ended.joined, __ATOMIC_SEQ_CST);
  if (!ended_join(0)) os_wait(&ended.joined, joined, END_POLL_NS);
}

struct thread_start {
  void (*run)(void *arg);
  void *arg;
  size_t stack_bytes;
};

/* Of a thread that was started here; size 0: of another. */
static __thread struct { char *low; size_t size; } own_stack;

/* The stack for signal handlers is at the beginning of the thread's own: it is there when the thread is, needs no system calls to make
 * and free, and is far from where that stack overflows. A sanitizer's own comes back at the end.
 * Nothing calls malloc or free here before the thread does: the C library would reserve 64 MiB of address space for it. */
static void *thread_main(void *boxed)
{
  struct thread_start *start = boxed;
  char handlers_stack[OS_SIGNAL_STACK_BYTES];
  stack_t before;
  own_stack.low = (char *)((uintptr_t)handlers_stack - start->stack_bytes);   /* outside of that array */
  own_stack.size = start->stack_bytes;
  sigaltstack(&(stack_t){.ss_sp = handlers_stack, .ss_size = sizeof handlers_stack}, &before);
  start->run(start->arg);
  sigaltstack(&before, NULL);
  free(start);
  ended_join(pthread_self());
  return NULL;
}

/* The stack is as much larger than usual as handlers have of it. */
static int thread_create(struct thread_start *start)
{
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_once(&ended.once, ended_survives_fork);
  int err = pthread_attr_init(&attributes);
  if (err != 0) return err;
  pthread_attr_getstacksize(&attributes, &start->stack_bytes);
  pthread_attr_setstacksize(&attributes, start->stack_bytes + OS_SIGNAL_STACK_BYTES);
  __atomic_fetch_add(&ended.started, 1, __ATOMIC_SEQ_CST);
  err = pthread_create(&thread, &attributes, thread_main, start);
  if (err != 0) __atomic_fetch_sub(&ended.started, 1, __ATOMIC_SEQ_CST);
  pthread_attr_destroy(&attributes);
  return err;
}

/* Every signal but those that the thread's own instructions raise. */
static void asynchronous_signals(sigset_t *set)
{
  static const int synchronous[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
  sigfillset(set);
  for (size_t i = 0; i < countof(synchronous); i++) sigdelset(set, synchronous[i]);
}

int os_thread_start(void (*run)(void *arg), void *arg)
{
  if (fault_hits()) return EAGAIN;
  struct thread_start *start = malloc(sizeof *start);
  if (start == NULL) return ENOMEM;
  *start = (struct thread_start){ .run = run, .arg = arg };
  /* A thread inherits its creator's mask, so there is no moment at which it
   * could be chosen to handle a signal. */
  sigset_t blocked, before;
  asynchronous_signals(&blocked);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int err = thread_create(start);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (err != 0) free(start);
  return err;
}

/* The main thread's stack begins above the program's name, the last thing that the system puts there. pthread_getattr_np
 * would read /proc/self/maps for it, a quarter of a megabyte of the C library. False: this is not the main thread, or it has no limit. */
static bool main_stack(char **low, size_t *size)
{
  struct rlimit limit;
  const char *name = (const char *)getauxval(AT_EXECFN);
  size_t page = os_page_size();
  if (name == NULL || gettid() != getpid() || getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  char *top = (char *)align_up((uintptr_t)name + strlen(name) + 1, page), *here = __builtin_frame_address(0);
  *size = align_down((size_t)limit.rlim_cur, page);
  *low = top - *size;
  return *size < (uintptr_t)top && here > *low && here < top;
}

bool os_thread_stack(char **low, size_t *size)
{
  pthread_attr_t attributes;
  void *lowest;
  if (own_stack.size != 0) {
    *low = own_stack.low;
    *size = own_stack.size;
    return true;
  }
  if (main_stack(low, size)) return true;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return false;
  bool known = pthread_attr_getstack(&attributes, &lowest, size) == 0;
  *low = lowest;
  pthread_attr_destroy(&attributes);
  return known;
}
