/* SPDX-License-Identifier: MIT */
/* The client that the collector gets, start and stop, and the roots of C programs.
 *
 * State: a domain for the frames that outlive theirs. A domain's frames belong to its thread, or to the leader of a stopped world.
 * Custom blocks carry their finaliser, or 0, in their first word. */
#include "capi/capi.h"

#include "base/note.h"
#include "heap/heap.h"
#include "os/os.h"

RUNTIME_NOTE("-", "c");

_Static_assert(sizeof(bac_value) == sizeof(value), "a value is a value");
_Static_assert(offsetof(struct bac_domain, young_limit) == offsetof(struct window, young_limit) &&
                   offsetof(struct bac_domain, young_ptr) == offsetof(struct window, young_ptr) &&
                   offsetof(struct bac_domain, young_start) == offsetof(struct window, young_start) &&
                   offsetof(struct bac_domain, young_end) == offsetof(struct window, young_end) &&
                   offsetof(struct bac_domain, young_trigger) == offsetof(struct window, young_trigger) &&
                   offsetof(struct bac_domain, frames) == sizeof(struct window),
               "a public domain begins with the window");
_Static_assert((int)BAC_TAGS == (int)Forcing_tag && (int)BAC_BYTES_TAG_ == (int)Abstract_tag &&
                   (int)BAC_YOUNG_MOST_ == (int)Max_young_wosize && BAC_NIL == Val_unit,
               "the public header knows the value model");

/* ---- The client ---- */

static bool capi_domain_init(struct domain *d)
{
  capi_domain(d)->internal = d;
  return true;
}

static void capi_domain_fini(struct domain *d) { (void)d; }

static void capi_scan_domain(struct domain *d, struct root_visitor *v)
{
  for (struct bac_frame *f = capi_domain(d)->frames; f != NULL; f = f->next) {
    value **slot = (value **)(f + 1);
    if (f->count < 0) v->visit(v, slot[0], (size_t)-f->count);
    for (intnat i = 0; i < f->count; i++) v->visit(v, slot[i], 1);
  }
}

static void capi_scan_process(struct root_visitor *v) { (void)v; }
static void capi_scan_continuation(value cont, struct root_visitor *v) { (void)cont, (void)v; }
static void capi_free_continuation(value cont) { (void)cont; }

static bool capi_custom_has_finaliser(value v) { return Field(v, 0) != 0; }
static void capi_custom_finalise(value v)
{
  void (*finalise)(void *) = (void (*)(void *))Field(v, 0);
  finalise(bac_custom_data(v));
}

const struct gc_client capi_client = {
    .state_size = sizeof(struct bac_domain),
    .domain_init = capi_domain_init,
    .domain_fini = capi_domain_fini,
    .scan_domain = capi_scan_domain,
    .scan_process = capi_scan_process,
    .scan_continuation = capi_scan_continuation,
    .free_continuation = capi_free_continuation,
    .custom_has_finaliser = capi_custom_has_finaliser,
    .custom_finalise = capi_custom_finalise,
};

size_t capi_root_words(const struct bac_domain *b)
{
  size_t words = 0;
  for (const struct bac_frame *f = b->frames; f != NULL; f = f->next) words += (size_t)(f->count < 0 ? -f->count : f->count);
  return words;
}

/* ---- Start and stop ---- */

struct bac_domain *capi_start(const struct gc_params *params, const struct gc_client *client, const char **why)
{
  if (bac_domains.live != NULL) bac_fatal("bac_start: the collector has been started already");
  struct domain *d = gc_init(params, client, why);
  if (d == NULL) return NULL;
  capi_install_fork_handlers();
  return capi_domain(d);
}

struct bac_domain *bac_self(void)
{
  struct domain *d = domain_self();
  return d == NULL ? NULL : capi_domain(d);
}

/* The scopes of local roots that end after the domain find this one in its place. */
static void frames_detach(struct bac_domain *b)
{
  static struct bac_domain stopped;
  for (struct bac_frame *f = b->frames; f != NULL; f = f->next) f->domain = &stopped;
  b->frames = NULL;
}

void bac_stop(struct bac_domain *b)
{
  struct domain *d = CAPI_ENTERED(b);
  int others = load_relaxed(&bac_domains.count) - 1;
  if (others > 0) bac_fatal("bac_stop: %d other domains run", others);
  frames_detach(b);
  bac_full_major(b);
  gc_domain_terminate(d);
  os_decommit((void *)bac_heap.base, (size_t)bac_heap.committed << BLOCK_SHIFT);
}

/* ---- Global roots ---- */

void bac_root_add(bac_value *slot) { gc_root_add(slot); }
void bac_root_remove(bac_value *slot) { gc_root_remove(slot); }
void bac_root_add_generational(bac_value *slot) { gc_root_add_generational(slot); }
void bac_root_remove_generational(bac_value *slot) { gc_root_remove_generational(slot); }
void bac_root_modify(bac_value *slot, bac_value v) { gc_root_modify_generational(slot, v); }
