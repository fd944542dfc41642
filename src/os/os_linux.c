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
#include "sync/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The path in a line "number:controllers:path", if it is one of [controller]; version 2 has the number 0 and the
 * controller "". NULL: it is not, or lies outside of our namespace. */
static const char *cgroup_path_of_line(const char *line, const char *controller)
{
  const char *list = strchr(line, ':'), *path = list != NULL ? strchr(list + 1, ':') : NULL;
  if (path == NULL || path[1] != '/' || strstr(path, "/..") != NULL) return NULL;
  size_t len = strlen(controller);
  if (len == 0) return path == list + 1 && strncmp(line, "0:", 2) == 0 ? path + 1 : NULL;
  for (const char *at = list; at < path; at += 1 + strcspn(at + 1, ",:"))
    if (strncmp(at + 1, controller, len) == 0 && strchr(",:", at[1 + len]) != NULL) return path + 1;
  return NULL;
}

/* Path of this process's control group below the root: "" for the root itself and where it is unknown. */
static void cgroup_own_path(const struct cgroups *groups, const char *controller, char *path, size_t room)
{
  char text[4 * PATH_MAX];
  path[0] = '\0';
  if (!file_read(groups->membership, text, sizeof text)) return;
  for (char *save, *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    const char *own = cgroup_path_of_line(line, controller);
    if (own != NULL && strcmp(own, "/") != 0 && strlen(own) < room) strcpy(path, own);
  }
}

/* Calls visit on the text of [file] of each control group from the process's own up to the root. Version 1 has a tree for
 * each controller, in a folder of that name. A tree may show only a part of the path, as in a container: then
 * its root is the container's. */
static void cgroup_walk(const struct cgroups *groups, const char *controller, const char *file,
                        void (*visit)(const char *text, size_t *least), size_t *least)
{
  char own[PATH_MAX], path[2 * PATH_MAX + 64], text[128];
  cgroup_own_path(groups, controller, own, sizeof own);
  for (;;) {
    int len = snprintf(path, sizeof path, "%s/%s%s/%s", groups->root, controller, own, file);
    if (len < (int)sizeof path && file_read(path, text, sizeof text)) visit(text, least);
    char *last = strrchr(own, '/');
    if (last == NULL) return;
    *last = '\0';
  }
}

/* memory.max: "max" or a number of bytes; memory.limit_in_bytes: a number, without a limit the largest that is a multiple
 * of the page size. */
static void visit_memory_max(const char *text, size_t *least)
{
  char *end;
  errno = 0;
  unsigned long long bytes = strtoull(text, &end, 10);
  if (end != text && errno == 0 && bytes < (unsigned long long)INT64_MAX / 2) *least = min_size(*least, (size_t)bytes);
}

/* cpu.max: "max <period>" or "<quota> <period>"; a part of a core counts as one. */
static void visit_cpu_max(const char *text, size_t *least)
{
  unsigned long quota, period;
  if (sscanf(text, "%lu %lu", &quota, &period) == 2 && period > 0) *least = min_size(*least, div_up(quota, period));
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

/* Cores that the scheduler may put this thread on. A machine may have more
 * cores than fit cpu_set_t: the kernel then answers EINVAL. */
static size_t affinity_cores(void)
{
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 4) {
    size_t size = CPU_ALLOC_SIZE(cpus);
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (set == NULL) break;
    int result = sched_getaffinity(0, size, set);
    size_t count = result == 0 ? (size_t)CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (result == 0) return count;
    if (errno != EINVAL) break;
  }
  return 1;
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

void os_yield(void) { sched_yield(); }

/* ---- Threads ---- */

struct thread_start {
  void (*run)(void *arg);
  void *arg;
};

static void *thread_main(void *boxed)
{
  struct thread_start start = *(struct thread_start *)boxed;
  free(boxed);
  start.run(start.arg);
  return NULL;
}

static int thread_create_detached(struct thread_start *start)
{
  pthread_attr_t attr;
  pthread_t thread;
  int err = pthread_attr_init(&attr);
  if (err != 0) return err;
  err = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  if (err == 0) err = pthread_create(&thread, &attr, thread_main, start);
  pthread_attr_destroy(&attr);
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
  *start = (struct thread_start){ run, arg };
  /* A thread inherits its creator's mask, so there is no moment at which it
   * could be chosen to handle a signal. */
  sigset_t blocked, before;
  asynchronous_signals(&blocked);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int err = thread_create_detached(start);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (err != 0) free(start);
  return err;
}
