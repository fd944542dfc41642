/* SPDX-License-Identifier: MIT */
/* Texts for OCAMLRUNPARAM: made of its own letters, numbers and separators, and
 * of noise. Reading one must end, warn only of items that stand in the text, and leave what a
 * warned item names unchanged.
 *
 * usage: params_fuzz [--seed N] [--count N] */
#include "abi/params.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 200 };

static struct {
  const char *text;
  size_t warnings;
} reading;

static _Noreturn void fail(const char *what)
{
  printf("params_fuzz: %s: OCAMLRUNPARAM='%s'\n", what, reading.text);
  exit(1);
}

static void on_warning(const char *item, size_t length)
{
  reading.warnings++;
  if (length == 0 || item < reading.text || item + length > reading.text + strlen(reading.text) || memchr(item, ',', length))
    fail("a warning of what is no item");
}

static size_t append(char *text, size_t length, const char *piece)
{
  size_t n = strlen(piece);
  if (length + n >= TEXT_ROOM) return length;
  memcpy(text + length, piece, n + 1);
  return length + n;
}

static void make_text(char text[TEXT_ROOM], struct rng *r)
{
  static const char *const pieces[] = {"a", "b", "c", "d", "e", "h", "H", "i", "l", "M", "m", "n", "o", "O", "p", "R", "s", "t", "v", "V", "w", "W",
                                       "Xlimit", "Xstress", "Xmarkers", "=", "=", "=", "=", ",", ",", ",", ",", "0", "1", "32", "256", "0x", "0x1F",
                                       "18446744073709551615", "99999999999999999999", "4294967296", "k", "M", "G", "q", "-1", " ", "="};
  size_t length = 0, want = rng_below(r, 24);
  text[0] = 0;
  for (size_t i = 0; i < want; i++) {
    char noise[2] = {(char)(1 + rng_below(r, 255)), 0};
    length = append(text, length, rng_below(r, 20) == 0 ? noise : pieces[rng_below(r, countof(pieces))]);
  }
}

/* Each item by itself: either it is warned of and changes nothing, or it is silent. */
static void check_item(const char *item)
{
  struct gc_params gc = gc_params_default, gc_before = gc;
  struct runtime_params run = {0}, run_before = run;
  reading.text = item;
  reading.warnings = 0;
  params_parse(item, &gc, &run, on_warning);
  bool changed = memcmp(&gc, &gc_before, sizeof gc) != 0 || memcmp(&run, &run_before, sizeof run) != 0;
  if (reading.warnings > 1) fail("two warnings of one item");
  if (reading.warnings == 1 && changed) fail("a warning of what was obeyed");
}

int main(int argc, char **argv)
{
  uint64_t seed = 1, count = 20000;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 0);
    if (strcmp(argv[i], "--count") == 0) count = strtoull(argv[i + 1], NULL, 0);
  }
  for (uint64_t at = 0; at < count; at++) {
    struct rng r = {seed * 0x9e3779b97f4a7c15u ^ at};
    struct gc_params gc = gc_params_default;
    struct runtime_params run = {0};
    char text[TEXT_ROOM];
    make_text(text, &r);
    reading.text = text;
    params_parse(text, &gc, &run, on_warning);
    for (char *item = strtok(text, ","); item; item = strtok(NULL, ",")) check_item(item);
  }
  printf("seed=%llu: %llu texts\n", (unsigned long long)seed, (unsigned long long)count);
  return 0;
}
