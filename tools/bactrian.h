/* SPDX-License-Identifier: MIT */
/* The commands of tools/bactrian.c that have files of their own. Each gets its command line from its own name
 * on, and returns the exit code. */
#ifndef BAC_TOOLS_BACTRIAN_H
#define BAC_TOOLS_BACTRIAN_H

int config_command(char **argv);
int doctor_command(char **argv);

#endif
