/* SPDX-License-Identifier: MIT */
/* Tests of src/abi/params.c: what each item of OCAMLRUNPARAM sets, and which are refused. */
#include "../unit/unit.h"

#include "abi/params.h"

static struct gc_params gc;
static struct runtime_params run;
static unsigned warnings;
static char last_warning[100];

static void on_warning(const char *item, size_t length)
{
  warnings++;
  snprintf(last_warning, sizeof last_warning, "%.*s", (int)length, item);
}

/* How many warnings. */
static unsigned parse(const char *text)
{
  gc = gc_params_default;
  run = (struct runtime_params){0};
  warnings = 0;
  params_parse(text, &gc, &run, on_warning);
  return warnings;
}

TEST(letters)
{
  EXPECT_EQ(parse("b,c,d=7,e=12,l=100,M=1,m=2,n=3,o=4,p,R,s=5000,t=2,v=0x3d,V=2,W"), 0);
  EXPECT_EQ(run.backtrace, 1);
  EXPECT_EQ(run.cleanup_on_exit, 1);
  EXPECT_EQ(gc.max_domains, 7);
  EXPECT_EQ(run.event_log_words, 12);
  EXPECT_EQ(run.stack_words, 100);
  EXPECT_EQ(gc.custom_major_ratio, 1);
  EXPECT_EQ(gc.custom_minor_ratio, 2);
  EXPECT_EQ(gc.custom_minor_max_bytes, 3);
  EXPECT_EQ(gc.space_overhead, 4);
  EXPECT_EQ(run.parser_trace, 1);
  EXPECT_EQ(gc.minor_words, 5000);
  EXPECT_EQ(run.trace, 2);
  EXPECT_EQ(gc.verbose, 0x3d);
  EXPECT_EQ(gc.verify, 2);
  EXPECT_EQ(run.warnings, 1);
}

TEST(letters_of_ocaml_4)
{
  EXPECT_EQ(parse("a=1,h=2,H=1,i=3,O=4,w=5"), 0);
  EXPECT_EQ(gc.allocation_policy, 1);
  EXPECT_EQ(gc.initial_heap_words, 2);
  EXPECT(gc.huge_pages);
  EXPECT_EQ(gc.major_heap_increment, 3);
  EXPECT_EQ(gc.max_overhead, 4);
  EXPECT_EQ(gc.window_size, 5);
}

TEST(our_names)
{
  EXPECT_EQ(parse("Xlimit=2G,Xstress=97,Xmarkers=3"), 0);
  EXPECT_EQ(gc.heap_limit, (size_t)2 << 30);
  EXPECT_EQ(gc.stress, 97);
  EXPECT_EQ(gc.markers, 3);
}

TEST(numbers)
{
  EXPECT_EQ(parse("s=32k"), 0);
  EXPECT_EQ(gc.minor_words, 32 << 10);
  EXPECT_EQ(parse("s=1M"), 0);
  EXPECT_EQ(gc.minor_words, 1 << 20);
  EXPECT_EQ(parse("s=3G"), 0);
  EXPECT_EQ(gc.minor_words, (size_t)3 << 30);
  EXPECT_EQ(parse("s=0xFf,v=0X10k"), 0);
  EXPECT_EQ(gc.minor_words, 255);
  EXPECT_EQ(gc.verbose, 16 << 10);
  EXPECT_EQ(parse("s=18446744073709551615"), 0);
  EXPECT_EQ(gc.minor_words, SIZE_MAX);
  EXPECT_EQ(parse("b="), 0);
  EXPECT_EQ(run.backtrace, 1);
  EXPECT_EQ(parse("b=0"), 0);
  EXPECT_EQ(run.backtrace, 0);
}

TEST(the_last_one_counts)
{
  EXPECT_EQ(parse("s=1k,o=7,s=2k"), 0);
  EXPECT_EQ(gc.minor_words, 2048);
}

TEST(empty_items)
{
  EXPECT_EQ(parse(""), 0);
  EXPECT_EQ(parse(",,b,,,o=9,"), 0);
  EXPECT_EQ(run.backtrace, 1);
  EXPECT_EQ(gc.space_overhead, 9);
}

TEST(refused)
{
  static const char *const bad[] = {"z", "z=1", "s=abc", "s=12q", "s=-1", "s= 1", "s=1kk", "s=k", "s=0x", "s=0xk", "s=1=2", "=", "=1", "S=1",
                                    "stack=1", "X", "X=1", "Xlimi=1", "Xlimits=1", "s=18446744073709551616", "s=17179869184G",
                                    "v=4294967296", "Xstress=5G", "b b"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[100];
    snprintf(text, sizeof text, "o=5,%s,W", bad[i]);
    if (parse(text) != 1) UNIT_FAIL("%u warnings of '%s'", warnings, bad[i]);
    EXPECT_STR(last_warning, bad[i]);
    EXPECT_EQ(gc.space_overhead, 5);
    EXPECT_EQ(run.warnings, 1);
    EXPECT_EQ(gc.minor_words, gc_params_default.minor_words);
    EXPECT_EQ(gc.verbose, gc_params_default.verbose);
  }
}

UNIT_MAIN()
