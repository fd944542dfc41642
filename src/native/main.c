/* SPDX-License-Identifier: MIT */
/* The main function of native programs; a program that has its own does not pull this file in. */
#include "abi/caml.h"
#include "prims/sys.h"

void caml_main(char **argv);

int main(int argc, char **argv)
{
  caml_main(argv);
  caml_do_exit(0);
}
