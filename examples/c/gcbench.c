/* SPDX-License-Identifier: MIT */
/* GCBench on Bactrian. The same program on bdwgc: gcbench_bdwgc.c. `make bench-c` runs both.
 *
 * usage: gcbench [DEPTH [MINOR_HEAP_WORDS [SPACE_OVERHEAD]]]      (256k words; 60: bdwgc keeps its heap about so full) */
#include <bactrian/gc.h>

#include "gcbench.h"

enum { LEFT, RIGHT, NUMBER, NODE_FIELDS };

static bac_value node_new(struct bac_domain *d) { return bac_alloc(d, NODE_FIELDS, 0); }

static void populate(struct bac_domain *d, int depth, bac_value node)
{
  if (depth == 0) return;
  BAC_ROOTS(d, &node);
  bac_value child = node_new(d);
  bac_write(d, node, LEFT, child);
  child = node_new(d);
  bac_write(d, node, RIGHT, child);
  populate(d, depth - 1, bac_field(node, LEFT));
  populate(d, depth - 1, bac_field(node, RIGHT));
}

static bac_value tree_top_down(struct bac_domain *d, int depth)
{
  bac_value tree = node_new(d);
  BAC_ROOTS(d, &tree);
  populate(d, depth, tree);
  return tree;
}

static bac_value tree_bottom_up(struct bac_domain *d, int depth)
{
  if (depth == 0) return node_new(d);
  bac_value left = BAC_NIL, right = BAC_NIL;
  BAC_ROOTS(d, &left, &right);
  left = tree_bottom_up(d, depth - 1);
  right = tree_bottom_up(d, depth - 1);
  bac_value node = node_new(d);
  bac_init_field(d, node, LEFT, left);
  bac_init_field(d, node, RIGHT, right);
  return node;
}

static long tree_nodes(bac_value tree)
{
  if (tree == BAC_NIL) return 0;
  return 1 + tree_nodes(bac_field(tree, LEFT)) + tree_nodes(bac_field(tree, RIGHT));
}

static void time_depth(struct bac_domain *d, const struct amounts *a, int depth)
{
  long count = tree_count(a, depth);
  double start = seconds_now();
  for (long i = 0; i < count; i++) tree_top_down(d, depth);
  double middle = seconds_now();
  for (long i = 0; i < count; i++) tree_bottom_up(d, depth);
  printf("depth %2d: %7ld trees top down in %.3f s, bottom up in %.3f s\n", depth, count, middle - start, seconds_now() - middle);
}

int main(int argc, char **argv)
{
  struct amounts a = amounts_of(argc > 1 ? argv[1] : NULL);
  const char *why;
  struct bac_params params;
  bac_params_default(&params);
  params.control.space_overhead = 60;
  if (argc > 2) params.control.minor_heap_size = strtoul(argv[2], NULL, 10);
  if (argc > 3) params.control.space_overhead = strtoul(argv[3], NULL, 10);
  struct bac_domain *d = bac_start(&params, &why);
  if (d == NULL) return fprintf(stderr, "gcbench: %s\n", why), 1;
  double start = seconds_now();
  bac_value tree = tree_bottom_up(d, a.stretch_depth), array = BAC_NIL;
  BAC_ROOTS(d, &tree, &array);
  tree = BAC_NIL;
  tree = tree_top_down(d, a.long_lived_depth);
  array = bac_alloc_bytes(d, (size_t)a.array_length * sizeof(double));
  if (array == BAC_NONE) return fputs("gcbench: no memory for the array\n", stderr), 1;
  for (long i = 0; i < a.array_length; i++) ((double *)bac_bytes(array))[i] = 1.0 / (double)(i + 1);
  for (int depth = DEPTH_MIN; depth <= a.depth_max; depth += 2) time_depth(d, &a, depth);
  check(tree_nodes(tree) == tree_size(a.long_lived_depth), "the tree");
  check(((double *)bac_bytes(array))[99] == 1.0 / 100, "the array");
  printf("%.3f s\n", seconds_now() - start);
  return 0;
}
