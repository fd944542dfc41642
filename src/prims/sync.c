/* SPDX-License-Identifier: MIT */
/* Mutex, Condition and Atomic.
 *
 * A mutex is a custom block that points to a POSIX mutex of the error-checking
 * kind: the block may move while a thread waits. The storage is counted, one
 * for the block and one for each sync_mutex_hold, and freed with the last. Waiting is
 * in a blocking section, so that collections go on.
 *
 * Atomic references are blocks of one field; the barriered accesses are gc.h's, all
 * sequentially consistent. No state. */
#include "prims/sync.h"

#include "abi/runtime.h"
#include "sync/atomic.h"

#include <errno.h>
#include <pthread.h>

/* ---- Errors ---- */

void sync_check_error(int error, const char *who)
{
  if (error == 0) return;
  if (error == ENOMEM) caml_raise_out_of_memory();
  char buf[256];
  caml_raise_sys_error(caml_alloc_sprintf("%s: %s", who, caml_strerror(error, buf, sizeof buf)));
}

/* ---- Mutexes ---- */

struct sync_mutex {
  pthread_mutex_t mutex;
  uint32_t users;        /* [atomic] */
};
#define Sync_mutex_val(v) (*(struct sync_mutex **)Data_custom_val(v))

static void sync_mutex_drop(struct sync_mutex *m)
{
  if (__atomic_sub_fetch(&m->users, 1, __ATOMIC_ACQ_REL) > 0) return;
  pthread_mutex_destroy(&m->mutex);
  caml_stat_free(m);
}

static void mutex_finalise(value v)
{
  if (Sync_mutex_val(v)) sync_mutex_drop(Sync_mutex_val(v));
}

/* Both kinds are compared and hashed by the address of their storage. */
static int compare_storage(value a, value b)
{
  uintnat x = *(uintnat *)Data_custom_val(a), y = *(uintnat *)Data_custom_val(b);
  return x < y ? -1 : x > y;
}
static intnat hash_storage(value v) { return *(intnat *)Data_custom_val(v); }

static const struct custom_operations mutex_ops = {
    .identifier = "_mutex",
    .finalize = mutex_finalise,
    .compare = compare_storage,
    .hash = hash_storage,
};

static int sync_mutex_init(struct sync_mutex *m)
{
  m->users = 1;
  pthread_mutexattr_t checking;
  int error = pthread_mutexattr_init(&checking);
  if (error) return error;
  error = pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
  if (!error) error = pthread_mutex_init(&m->mutex, &checking);
  pthread_mutexattr_destroy(&checking);
  return error;
}

/* A block without storage, which whoever could not get the latter leaves to the collector. */
static value block_new(const struct custom_operations *ops)
{
  value v = caml_alloc_custom(ops, sizeof(void *), 0, 1);
  *(void **)Data_custom_val(v) = NULL;
  return v;
}

CAMLprim value caml_ml_mutex_new(value unit)
{
  value v = block_new(&mutex_ops);
  struct sync_mutex *m = caml_stat_alloc(sizeof *m);
  int error = sync_mutex_init(m);
  if (error) {
    caml_stat_free(m);
    sync_check_error(error, "Mutex.create");
  }
  Sync_mutex_val(v) = m;
  return v;
}

/* The block is a root while this thread waits, so its storage stays. */
static int sync_mutex_lock(value mutex)
{
  LOCAL_ROOTS(&mutex);
  struct sync_mutex *m = Sync_mutex_val(mutex);
  int error = pthread_mutex_trylock(&m->mutex);
  if (error != EBUSY) return error;
  caml_enter_blocking_section();
  error = pthread_mutex_lock(&m->mutex);
  caml_leave_blocking_section();
  return error;
}

CAMLprim value caml_ml_mutex_lock(value mutex)
{
  sync_check_error(sync_mutex_lock(mutex), "Mutex.lock");
  return Val_unit;
}

CAMLprim value caml_ml_mutex_try_lock(value mutex)
{
  int error = pthread_mutex_trylock(&Sync_mutex_val(mutex)->mutex);
  if (error == EBUSY) return Val_false;
  sync_check_error(error, "Mutex.try_lock");
  return Val_true;
}

CAMLprim value caml_ml_mutex_unlock(value mutex)
{
  sync_check_error(pthread_mutex_unlock(&Sync_mutex_val(mutex)->mutex), "Mutex.unlock");
  return Val_unit;
}

struct sync_mutex *sync_mutex_hold(value mutex)
{
  struct sync_mutex *m = Sync_mutex_val(mutex);
  add_relaxed(&m->users, 1);
  if (pthread_mutex_trylock(&m->mutex) != 0) {
    caml_enter_blocking_section_no_pending();
    pthread_mutex_lock(&m->mutex);
    caml_leave_blocking_section();
  }
  return m;
}

void sync_mutex_let_go(struct sync_mutex *m)
{
  pthread_mutex_unlock(&m->mutex);
  sync_mutex_drop(m);
}

/* ---- Condition variables ---- */

#define Condition_val(v) (*(pthread_cond_t **)Data_custom_val(v))

static void condition_finalise(value v)
{
  pthread_cond_t *c = Condition_val(v);
  if (!c) return;
  pthread_cond_destroy(c);
  caml_stat_free(c);
}

static const struct custom_operations condition_ops = {
    .identifier = "_condition",
    .finalize = condition_finalise,
    .compare = compare_storage,
    .hash = hash_storage,
};

CAMLprim value caml_ml_condition_new(value unit)
{
  value v = block_new(&condition_ops);
  pthread_cond_t *c = caml_stat_alloc(sizeof *c);
  int error = pthread_cond_init(c, NULL);
  if (error) {
    caml_stat_free(c);
    sync_check_error(error, "Condition.create");
  }
  Condition_val(v) = c;
  return v;
}

CAMLprim value caml_ml_condition_wait(value condition, value mutex)
{
  LOCAL_ROOTS(&condition, &mutex);
  pthread_cond_t *c = Condition_val(condition);
  pthread_mutex_t *m = &Sync_mutex_val(mutex)->mutex;
  caml_enter_blocking_section();
  int error = pthread_cond_wait(c, m);
  caml_leave_blocking_section();
  sync_check_error(error, "Condition.wait");
  return Val_unit;
}

CAMLprim value caml_ml_condition_signal(value condition)
{
  sync_check_error(pthread_cond_signal(Condition_val(condition)), "Condition.signal");
  return Val_unit;
}

CAMLprim value caml_ml_condition_broadcast(value condition)
{
  sync_check_error(pthread_cond_broadcast(Condition_val(condition)), "Condition.broadcast");
  return Val_unit;
}

/* ---- Atomic references ---- */

/* So large that two such blocks have no cache line in common. */
enum { CONTENDED_WOSIZE = 128 / sizeof(value) - 1 };

CAMLprim value caml_atomic_make_contended(value v)
{
  LOCAL_ROOTS(&v);
  value ref = caml_alloc_shr(CONTENDED_WOSIZE, 0);
  caml_initialize(&Field(ref, 0), v);
  for (mlsize_t i = 1; i < CONTENDED_WOSIZE; i++) Field(ref, i) = Val_unit;
  return ref;
}

CAMLprim value caml_atomic_load(value ref) { return load_seq(&Field(ref, 0)); }

CAMLprim value caml_atomic_exchange(value ref, value v)
{
  return gc_exchange_field(domain_self(), &Field(ref, 0), v);
}

CAMLprim value caml_atomic_cas(value ref, value expected, value desired)
{
  return Val_bool(gc_cas_field(domain_self(), &Field(ref, 0), expected, desired));
}

/* Both are integers: adding twice the increment leaves the tag bit alone. */
CAMLprim value caml_atomic_fetch_add(value ref, value increment)
{
  return add_seq(&Field(ref, 0), increment - 1);
}
