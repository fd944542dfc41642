/* SPDX-License-Identifier: MIT */
/* A fuzzer's watch: SIGPROF where no mutation was done for a minute of processor time. Wall time would say what else the
 * machine does. Set anew every few hundred mutations. */
#ifndef BAC_FUZZ_WATCH_H
#define BAC_FUZZ_WATCH_H

#include <signal.h>
#include <sys/time.h>

enum { WATCH_SECONDS = 60, WATCH_SIGNAL = SIGPROF };

static inline void watch_set(int seconds)
{
  setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = seconds}, NULL);
}

#endif
