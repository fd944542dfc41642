/* SPDX-License-Identifier: MIT */
/* The main of programs that are linked with the archive of the bytecode runtime and bring none: ocamlc -custom,
 * -make-runtime, -output-complete-exe's kin. It is ocamlrun under any other name (tools/bactrian.c is the command).
 * No state. */
#include "bytecode/startup.h"
#include "prims/sys.h"

int main(int argc, char **argv)
{
  startup_run(argv, true);
  caml_do_exit(0);
}
