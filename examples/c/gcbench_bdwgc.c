/* SPDX-License-Identifier: MIT */
/* GCBench on bdwgc (Debian: libgc-dev), the conservative collector. The same program on Bactrian: gcbench.c.
 *
 * usage: gcbench_bdwgc [DEPTH] */
#include <gc.h>

#include "gcbench.h"

struct node { struct node *left, *right; long number; };

static struct node *node_new(void)
{
  struct node *n = GC_NEW(struct node);
  check(n != NULL, "memory");
  return n;
}

static void populate(int depth, struct node *node)
{
  if (depth == 0) return;
  node->left = node_new();
  node->right = node_new();
  populate(depth - 1, node->left);
  populate(depth - 1, node->right);
}

static struct node *tree_top_down(int depth)
{
  struct node *tree = node_new();
  populate(depth, tree);
  return tree;
}

static struct node *tree_bottom_up(int depth)
{
  if (depth == 0) return node_new();
  struct node *left = tree_bottom_up(depth - 1);
  struct node *right = tree_bottom_up(depth - 1);
  struct node *node = node_new();
  node->left = left;
  node->right = right;
  return node;
}

static long tree_nodes(struct node *tree)
{
  if (tree == NULL) return 0;
  return 1 + tree_nodes(tree->left) + tree_nodes(tree->right);
}

static void time_depth(const struct amounts *a, int depth)
{
  long count = tree_count(a, depth);
  double start = seconds_now();
  for (long i = 0; i < count; i++) tree_top_down(depth);
  double middle = seconds_now();
  for (long i = 0; i < count; i++) tree_bottom_up(depth);
  printf("depth %2d: %7ld trees top down in %.3f s, bottom up in %.3f s\n", depth, count, middle - start, seconds_now() - middle);
}

int main(int argc, char **argv)
{
  struct amounts a = amounts_of(argc > 1 ? argv[1] : NULL);
  GC_INIT();
  double start = seconds_now();
  struct node *tree = tree_bottom_up(a.stretch_depth);
  tree = tree_top_down(a.long_lived_depth);
  double *array = GC_MALLOC_ATOMIC((size_t)a.array_length * sizeof(double));
  check(array != NULL, "memory");
  for (long i = 0; i < a.array_length; i++) array[i] = 1.0 / (double)(i + 1);
  for (int depth = DEPTH_MIN; depth <= a.depth_max; depth += 2) time_depth(&a, depth);
  check(tree_nodes(tree) == tree_size(a.long_lived_depth), "the tree");
  check(array[99] == 1.0 / 100, "the array");
  printf("%.3f s\n", seconds_now() - start);
  return 0;
}
