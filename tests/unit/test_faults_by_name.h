/* SPDX-License-Identifier: BSD-3-Clause */
/* The nth call of one entry to the kernel fails, once. */
#ifndef TEST_FAULTS_BY_NAME_H
#define TEST_FAULTS_BY_NAME_H

#include "tests/unit/test_faults.h"

static const char *fault;
static int countdown;       /* so many go well before; -1: it has failed and was not called again */
static pid_t fault_process; /* the only one in which it fails; 0: all */

static bool faulty(const char *name)
{
	if (fault_process && getpid() != fault_process)
		return false;
	return fault && strcmp(name, fault) == 0 && countdown-- == 0;
}

static inline void arm(const char *name, int nth)
{
	fault = name;
	countdown = nth;
}

#endif
