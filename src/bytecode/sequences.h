/* SPDX-License-Identifier: MIT */
/* The sequences of bytecode/sequences.tbl in one form, SEQUENCE(label, parts...), parts as labels. The includer defines it,
 * this file takes it back. */
#define SEQ2(a, b) SEQUENCE(a##_##b, OP_##a, OP_##b)
#define SEQ3(a, b, c) SEQUENCE(a##_##b##_##c, OP_##a, OP_##b, OP_##c)
#define SEQ4(a, b, c, d) SEQUENCE(a##_##b##_##c##_##d, OP_##a, OP_##b, OP_##c, OP_##d)
#include "bytecode/sequences.tbl"
#undef SEQ2
#undef SEQ3
#undef SEQ4
#undef SEQUENCE
