/* SPDX-License-Identifier: MIT */
/* The functions of the Gc module for C programs: start's parameters, collections on demand, statistics,
 * control, the verifier. The figures are gc.h's.
 *
 * State: the stack limit, which is kept for bac_get and limits nothing. */
#include "capi/capi.h"

#include "os/os.h"

#include <inttypes.h>

static size_t stack_limit = (size_t)128 << 20;   /* [atomic] words */

/* ---- Parameters ---- */

static void control_from(const struct gc_params *p, struct bac_control *out)
{
  *out = (struct bac_control){
      .minor_heap_size = p->minor_words,
      .major_heap_increment = p->major_heap_increment,
      .space_overhead = p->space_overhead,
      .verbose = p->verbose,
      .max_overhead = p->max_overhead,
      .stack_limit = load_relaxed(&stack_limit),
      .allocation_policy = p->allocation_policy,
      .window_size = p->window_size,
      .custom_major_ratio = p->custom_major_ratio,
      .custom_minor_ratio = p->custom_minor_ratio,
      .custom_minor_max_size = p->custom_minor_max_bytes,
  };
}

static void control_into(struct gc_params *p, const struct bac_control *in)
{
  p->minor_words = in->minor_heap_size;
  p->major_heap_increment = in->major_heap_increment;
  p->space_overhead = in->space_overhead;
  p->verbose = (unsigned)in->verbose;
  p->max_overhead = in->max_overhead;
  p->allocation_policy = in->allocation_policy;
  p->window_size = in->window_size;
  p->custom_major_ratio = in->custom_major_ratio;
  p->custom_minor_ratio = in->custom_minor_ratio;
  p->custom_minor_max_bytes = in->custom_minor_max_size;
  store_relaxed(&stack_limit, in->stack_limit);
}

void bac_params_default(struct bac_params *out)
{
  *out = (struct bac_params){.max_domains = gc_params_default.max_domains};
  control_from(&gc_params_default, &out->control);
}

struct bac_domain *bac_start(const struct bac_params *params, const char **why)
{
  struct gc_params p = gc_params_default;
  const char *nowhere;
  if (params != NULL) {
    control_into(&p, &params->control);
    p.max_domains = params->max_domains;
    p.heap_limit = params->heap_limit_bytes;
    p.initial_heap_words = params->initial_heap_words;
    p.verify = params->verify;
    p.stress = params->stress;
    p.huge_pages = params->huge_pages != 0;
  }
  return capi_start(&p, &capi_client, why != NULL ? why : &nowhere);
}

void bac_get(struct bac_domain *b, struct bac_control *out)
{
  struct gc_params p;
  gc_params_get(CAPI_ENTERED(b), &p);
  control_from(&p, out);
}

/* A nursery is whole pages, which is no other size than was asked for. */
static bool control_is(struct bac_control now, const struct bac_control *in)
{
  size_t page_words = os_page_size() / sizeof(value);
  if (now.minor_heap_size - in->minor_heap_size < page_words) now.minor_heap_size = in->minor_heap_size;
  return memcmp(&now, in, sizeof now) == 0;
}

int bac_set(struct bac_domain *b, const struct bac_control *in)
{
  struct domain *d = CAPI_ENTERED(b);
  struct gc_params p;
  struct bac_control now;
  gc_params_get(d, &p);
  control_into(&p, in);
  gc_params_set(d, &p);
  bac_get(b, &now);
  return control_is(now, in);
}

/* ---- Collections ---- */

void bac_minor(struct bac_domain *b)
{
  gc_minor(CAPI_ENTERED(b));
  capi_finalise(b);
}

void bac_major_slice(struct bac_domain *b, size_t words)
{
  gc_major_slice(CAPI_ENTERED(b), words > INTPTR_MAX ? INTPTR_MAX : (intnat)words);
  capi_finalise(b);
}

void bac_major(struct bac_domain *b)
{
  gc_major(CAPI_ENTERED(b));
  capi_finalise(b);
}

void bac_full_major(struct bac_domain *b)
{
  gc_full_major(CAPI_ENTERED(b));
  capi_finalise(b);
}

void bac_compact(struct bac_domain *b)
{
  gc_compact(CAPI_ENTERED(b));
  capi_finalise(b);
}

void bac_verify(struct bac_domain *b) { gc_verify(CAPI_ENTERED(b)); }

/* ---- Statistics ---- */

static void stats_from(const struct gc_stats *s, const struct bac_domain *b, struct bac_stats *out)
{
  *out = (struct bac_stats){
      .minor_words = s->minor_words,
      .promoted_words = s->promoted_words,
      .major_words = s->major_words,
      .minor_collections = s->minor_collections,
      .major_collections = s->major_collections,
      .forced_major_collections = s->forced_major_collections,
      .compactions = s->compactions,
      .heap_words = s->heap_words,
      .heap_chunks = s->heap_chunks,
      .live_words = s->live_words,
      .live_blocks = s->live_blocks,
      .free_words = s->free_words,
      .free_blocks = s->free_blocks,
      .largest_free = s->largest_free,
      .fragments = s->fragments,
      .top_heap_words = s->top_heap_words,
      .stack_size = capi_root_words(b),
  };
}

void bac_stat(struct bac_domain *b, struct bac_stats *out)
{
  struct gc_stats s;
  gc_stat(CAPI_ENTERED(b), &s);
  stats_from(&s, b, out);
  capi_finalise(b);
}

void bac_quick_stat(struct bac_domain *b, struct bac_stats *out)
{
  struct gc_stats s;
  gc_quick_stat(CAPI_ENTERED(b), &s);
  stats_from(&s, b, out);
}

void bac_counters(struct bac_domain *b, uint64_t *minor, uint64_t *promoted, uint64_t *major)
{
  uint64_t unwanted;
  gc_counters(CAPI_ENTERED(b), minor ? minor : &unwanted, promoted ? promoted : &unwanted, major ? major : &unwanted);
}

uint64_t bac_minor_words(struct bac_domain *b)
{
  uint64_t minor;
  bac_counters(b, &minor, NULL, NULL);
  return minor;
}

uint64_t bac_allocated_bytes(struct bac_domain *b)
{
  uint64_t minor, promoted, major;
  bac_counters(b, &minor, &promoted, &major);
  return Bsize_wsize(minor + major - promoted);
}

size_t bac_minor_free(struct bac_domain *b) { return gc_minor_free(CAPI_ENTERED(b)); }

static int digits(uint64_t n) { return snprintf(NULL, 0, "%" PRIu64, n); }

/* stdlib/gc.ml, print_stat: two columns of words as wide as the first figure of each. */
void bac_print_stat(struct bac_domain *b, FILE *to)
{
  struct bac_stats s;
  bac_stat(b, &s);
  fprintf(to, "minor_collections:      %" PRIu64 "\n", s.minor_collections);
  fprintf(to, "major_collections:      %" PRIu64 "\n", s.major_collections);
  fprintf(to, "compactions:            %" PRIu64 "\n", s.compactions);
  fprintf(to, "forced_major_collections: %" PRIu64 "\n\n", s.forced_major_collections);
  int w = digits(s.minor_words);
  fprintf(to, "minor_words:    %*" PRIu64 "\n", w, s.minor_words);
  fprintf(to, "promoted_words: %*" PRIu64 "\n", w, s.promoted_words);
  fprintf(to, "major_words:    %*" PRIu64 "\n\n", w, s.major_words);
  w = digits(s.top_heap_words);
  fprintf(to, "top_heap_words: %*" PRIu64 "\n", w, s.top_heap_words);
  fprintf(to, "heap_words:     %*" PRIu64 "\n", w, s.heap_words);
  fprintf(to, "live_words:     %*" PRIu64 "\n", w, s.live_words);
  fprintf(to, "free_words:     %*" PRIu64 "\n", w, s.free_words);
  fprintf(to, "largest_free:   %*" PRIu64 "\n", w, s.largest_free);
  fprintf(to, "fragments:      %*" PRIu64 "\n\n", w, s.fragments);
  fprintf(to, "live_blocks: %" PRIu64 "\n", s.live_blocks);
  fprintf(to, "free_blocks: %" PRIu64 "\n", s.free_blocks);
  fprintf(to, "heap_chunks: %" PRIu64 "\n", s.heap_chunks);
}
