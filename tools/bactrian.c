/* SPDX-License-Identifier: MIT */
/* The bactrian command, and the bytecode interpreter under any other name
 * (ocamlrun). A custom runtime or a program that carries its runtime is this
 * file with bytecode at its end; it need not know its name. No state. */
#include "abi/5.3/version.h"
#include "bytecode/startup.h"
#include "prims/sys.h"
#include "bactrian.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: bactrian <command> [<arguments>]\n"
    "An OCaml 5.3 runtime.\n"
    "\n"
    "  run [<options>] <executable> [<arguments>]\n"
    "                 Run a bytecode executable. Options: those of ocamlrun,\n"
    "                 see bactrian run -help\n"
    "  check <executable>\n"
    "                 Load and check a bytecode executable without running it\n"
    "  config [<option>]...\n"
    "                 Print paths and flags of this installation\n"
    "  doctor <program>\n"
    "                 Say which runtime a program has, and what it lacks\n"
    "  --help         Display this text\n"
    "  --version      Print version string and exit\n"
    "\n"
    "Under any other name this program behaves as bactrian run.\n"
    "The environment variable OCAMLRUNPARAM sets parameters of the runtime.\n";

static bool is_named_bactrian(const char *name)
{
  const char *slash = strrchr(name, '/');
  return strcmp(slash ? slash + 1 : name, "bactrian") == 0;
}

static int usage(const char *problem, const char *what)
{
  fprintf(stderr, "bactrian: %s%s\nTry bactrian --help.\n", problem, what);
  return 127;
}

static int command(char **argv)
{
  const char *name = argv[1];
  if (!name) return usage("no command", "");
  if (strcmp(name, "run") == 0) {
    startup_run(argv + 1, false);
    caml_do_exit(0);
  }
  if (strcmp(name, "check") == 0) {
    if (!argv[2] || argv[3]) return usage("check wants one file", "");
    return startup_check(argv[2]);
  }
  if (strcmp(name, "config") == 0) return config_command(argv + 1);
  if (strcmp(name, "doctor") == 0) return doctor_command(argv + 1);
  if (strcmp(name, "--help") == 0 || strcmp(name, "-help") == 0 || strcmp(name, "-h") == 0) {
    fputs(help, stdout);
    return 0;
  }
  if (strcmp(name, "--version") == 0 || strcmp(name, "-version") == 0) {
    puts("Bactrian, a runtime for OCaml " OCAML_VERSION_TEXT);
    return 0;
  }
  return usage("unknown command ", name);
}

int main(int argc, char **argv)
{
  if (argc > 0 && is_named_bactrian(argv[0])) return command(argv);
  startup_run(argv, true);
  caml_do_exit(0);
}
