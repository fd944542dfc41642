/* SPDX-License-Identifier: MIT */
/* The main function of custom runtimes (ocamlc -custom, -make-runtime), which
 * have no other. Weak: a program that brings its own keeps it. */
#include "bytecode/startup.h"
#include "prims/sys.h"

__attribute__((weak)) int main(int argc, char **argv)
{
  startup_run(argv, true);
  caml_do_exit(0);
}
