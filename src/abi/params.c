/* SPDX-License-Identifier: MIT */
/* Reading OCAMLRUNPARAM, and the primitives that show the parameters to the
 * program (Sys.runtime_parameters, Sys.enable_runtime_warnings).
 *
 * One table names the letters and says which field each sets, so that the
 * reader below knows no letter; params.h has the grammar. */
#include "abi/params.h"

#include "abi/caml.h"
#include "base/bits.h"
#include "sync/atomic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The stack's limit is 1 GiB, a ring of events 512 KiB: the defaults that the manual states. */
struct runtime_params runtime_params = {
    .event_log_words = 16,
    .stack_words = (size_t)128 << 20,
};

/* What <caml/startup_aux.h> shows to C code, in its order: the parameters as they were at the start. */
static struct caml_params {
  const char *exe_name, *section_table;
  size_t section_table_size;
  const char *debug_file;
  size_t parser_trace, trace, event_log_words, verify, print_magic, print_config;
  size_t space_overhead, minor_words, custom_major_ratio, custom_minor_ratio, custom_minor_max_bytes, stack_words;
  size_t backtrace, warnings, cleanup_on_exit, event_trace, max_domains;
} at_start; /* [const] */
CAMLexport const struct caml_params *const caml_params = &at_start;

static void show_params(const struct gc_params *gc, const struct runtime_params *run)
{
  at_start = (struct caml_params){
      .parser_trace = run->parser_trace, .trace = run->trace, .event_log_words = run->event_log_words,
      .verify = gc->verify, .space_overhead = gc->space_overhead, .minor_words = gc->minor_words,
      .custom_major_ratio = gc->custom_major_ratio, .custom_minor_ratio = gc->custom_minor_ratio,
      .custom_minor_max_bytes = gc->custom_minor_max_bytes, .stack_words = run->stack_words,
      .backtrace = run->backtrace, .warnings = run->warnings, .cleanup_on_exit = run->cleanup_on_exit,
      .max_domains = gc->max_domains,
  };
}

/* Where an item's number goes. IGNORED: the runtime need not know (R is read by Hashtbl). */
enum target { GC_SIZE, GC_UNSIGNED, GC_BOOL, RUNTIME_SIZE, IGNORED };

struct parameter {
  const char *name;
  enum target target;
  size_t offset;
};

#define GC(kind, field) kind, offsetof(struct gc_params, field)
#define RUNTIME(field) RUNTIME_SIZE, offsetof(struct runtime_params, field)

static const struct parameter parameters[] = {
    {"a", GC(GC_SIZE, allocation_policy)},
    {"b", RUNTIME(backtrace)},
    {"c", RUNTIME(cleanup_on_exit)},
    {"d", GC(GC_SIZE, max_domains)},
    {"e", RUNTIME(event_log_words)},
    {"h", GC(GC_SIZE, initial_heap_words)},
    {"H", GC(GC_BOOL, huge_pages)},
    {"i", GC(GC_SIZE, major_heap_increment)},
    {"l", RUNTIME(stack_words)},
    {"M", GC(GC_SIZE, custom_major_ratio)},
    {"m", GC(GC_SIZE, custom_minor_ratio)},
    {"n", GC(GC_SIZE, custom_minor_max_bytes)},
    {"o", GC(GC_SIZE, space_overhead)},
    {"O", GC(GC_SIZE, max_overhead)},
    {"p", RUNTIME(parser_trace)},
    {"R", IGNORED, 0},
    {"s", GC(GC_SIZE, minor_words)},
    {"t", RUNTIME(trace)},
    {"v", GC(GC_UNSIGNED, verbose)},
    {"V", GC(GC_UNSIGNED, verify)},
    {"w", GC(GC_SIZE, window_size)},
    {"W", RUNTIME(warnings)},
    {"Xlimit", GC(GC_SIZE, heap_limit)},
    {"Xmarkers", GC(GC_UNSIGNED, markers)},
    {"Xstress", GC(GC_UNSIGNED, stress)},
};

static const struct parameter *parameter_find(const char *name, size_t length)
{
  for (size_t i = 0; i < countof(parameters); i++) {
    const struct parameter *p = &parameters[i];
    if (strlen(p->name) == length && memcmp(p->name, name, length) == 0) return p;
  }
  return NULL;
}

static int digit_value(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

static size_t multiplier(char c)
{
  switch (c) {
  case 'k': return (size_t)1 << 10;
  case 'M': return (size_t)1 << 20;
  case 'G': return (size_t)1 << 30;
  default: return 0;
  }
}

/* The whole of [at, end) as a number; false if it is none, or too large. */
static bool number_read(const char *at, const char *end, size_t *out)
{
  size_t base = 10, n = 0;
  if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
    base = 16;
    at += 2;
  }
  const char *first = at;
  for (; at < end && (size_t)digit_value(*at) < base; at++)
    if (!mul_fits(n, base, &n) || !add_fits(n, (size_t)digit_value(*at), &n)) return false;
  if (at == first) return false;
  if (at < end) {
    size_t by = multiplier(*at++);
    if (by == 0 || !mul_fits(n, by, &n)) return false;
  }
  *out = n;
  return at == end;
}

static bool parameter_set(const struct parameter *p, size_t n, struct gc_params *gc, struct runtime_params *runtime)
{
  char *in_gc = (char *)gc + p->offset, *in_runtime = (char *)runtime + p->offset;
  switch (p->target) {
  case GC_SIZE: *(size_t *)in_gc = n; break;
  case GC_BOOL: *(bool *)in_gc = n != 0; break;
  case RUNTIME_SIZE: *(size_t *)in_runtime = n; break;
  case IGNORED: break;
  case GC_UNSIGNED:
    if (n > UINT32_MAX) return false;
    *(unsigned *)in_gc = (unsigned)n;
    break;
  }
  return true;
}

static bool item_read(const char *at, const char *end, struct gc_params *gc, struct runtime_params *runtime)
{
  const char *equals = memchr(at, '=', (size_t)(end - at));
  const char *name_end = equals ? equals : end;
  const struct parameter *p = parameter_find(at, (size_t)(name_end - at));
  size_t n = 1;
  if (!p) return false;
  if (equals && equals + 1 < end && !number_read(equals + 1, end, &n)) return false;
  return parameter_set(p, n, gc, runtime);
}

void params_parse(const char *text, struct gc_params *gc, struct runtime_params *runtime,
                  void (*warn)(const char *item, size_t length))
{
  while (*text) {
    size_t length = strcspn(text, ",");
    if (length > 0 && !item_read(text, text + length, gc, runtime) && warn) warn(text, length);
    text += length;
    if (*text == ',') text++;
  }
}

static void warn_ignored(const char *item, size_t length)
{
  enum { SHOWN = 60 };
  bac_warn("OCAMLRUNPARAM: '%.*s%s' is not a parameter, ignored", (int)min_size(length, SHOWN), item,
           length > SHOWN ? "..." : "");
}

void params_read_environment(struct gc_params *gc)
{
  const char *text = secure_getenv("OCAMLRUNPARAM");
  if (!text) text = secure_getenv("CAMLRUNPARAM");
  if (text) params_parse(text, gc, &runtime_params, warn_ignored);
  if (gc->max_domains < 1) bac_fatal("OCAMLRUNPARAM: max_domains(d) must be at least 1");
  if (gc->max_domains > DOMAINS_MAX)
    bac_fatal("OCAMLRUNPARAM: max_domains(d) is too large. The maximum value is %d.", DOMAINS_MAX);
  show_params(gc, &runtime_params);
}

/* ---- What the program sees ---- */

/* Stock's letters in stock's order, then ours. */
CAMLprim value caml_runtime_parameters(value unit)
{
  struct gc_params gc;
  const struct runtime_params *run = &runtime_params;
  gc_params_get(Caml_state->domain, &gc);
  return caml_alloc_sprintf(
      "b=%d,c=%zu,e=%zu,l=%zu,M=%zu,m=%zu,n=%zu,o=%zu,p=%d,s=%zu,t=%zu,v=%u,V=%u,W=%zu,"
      "a=%zu,d=%zu,H=%d,h=%zu,i=%zu,O=%zu,w=%zu,Xlimit=%zu,Xmarkers=%u,Xstress=%u",
      (int)Caml_state->backtrace_active, run->cleanup_on_exit, run->event_log_words, load_relaxed(&run->stack_words),
      gc.custom_major_ratio, gc.custom_minor_ratio, gc.custom_minor_max_bytes, gc.space_overhead,
      Caml_state->parser_trace, gc.minor_words, run->trace, gc.verbose, gc.verify, load_relaxed(&run->warnings),
      gc.allocation_policy, gc.max_domains, gc.huge_pages, gc.initial_heap_words, gc.major_heap_increment,
      gc.max_overhead, gc.window_size, gc.heap_limit, gc.markers, gc.stress);
}

CAMLprim value caml_ml_enable_runtime_warnings(value enable)
{
  store_relaxed(&runtime_params.warnings, (size_t)Bool_val(enable));
  return Val_unit;
}

CAMLprim value caml_ml_runtime_warnings_enabled(value unit)
{
  return Val_bool(load_relaxed(&runtime_params.warnings) != 0);
}

CAMLexport int caml_runtime_warnings_active(void)
{
  static bool explained; /* [atomic] */
  if (load_relaxed(&runtime_params.warnings) == 0) return 0;
  if (!exchange_seq(&explained, true))
    fputs("[ocaml] (use Sys.enable_runtime_warnings to control these warnings)\n", stderr);
  return 1;
}
