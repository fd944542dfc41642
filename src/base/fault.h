/* SPDX-License-Identifier: MIT */
/* Seeded faults: a build with -DBAC_FAULT=<name> makes one mistake on purpose,
 * so that tests can show that the verifier sees it. In any other build
 * FAULT(name) is the constant false. tests/faults/suite builds each of them.
 *
 *   no_shading       the write barrier does not shade what it overwrites
 *   no_remembering   a field that gets a young value is not remembered, from the eighth on
 *   lost_root        the last root that a domain's scan reports is left out when marking starts
 *   no_subtraction   a compaction does not subtract what it evacuates from the counters
 *   leaked_block     a swept empty pool is not given back, though it is counted as gone
 *   stale_field      a compaction does not redirect fields of objects that have closure tag */
#ifndef BAC_BASE_FAULT_H
#define BAC_BASE_FAULT_H

enum fault {
  FAULT_none,
  FAULT_no_shading,
  FAULT_no_remembering,
  FAULT_lost_root,
  FAULT_no_subtraction,
  FAULT_leaked_block,
  FAULT_stale_field,
};

#ifdef BAC_FAULT
#define FAULT_NAMED2_(name) FAULT_##name
#define FAULT_NAMED_(name) FAULT_NAMED2_(name)
#define FAULT(name) (FAULT_NAMED_(BAC_FAULT) == FAULT_##name)
#else
#define FAULT(name) 0
#endif

#endif
