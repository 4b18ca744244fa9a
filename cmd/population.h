/* SPDX-License-Identifier: BSD-3-Clause */
/* How many processes are in each world: one look through /proc for all of them. */
#ifndef NSCLONE_CMD_POPULATION_H
#define NSCLONE_CMD_POPULATION_H

#include "cmd/held.h"

/*
 * counts, of held->n, all zero: a process is in a world if any of its namespaces is one of the world's own; the init that
 * the keeper made is not counted. 0, or a negative errno: what could not be seen may be missing.
 */
int population_count(const struct held *held, unsigned *counts);

#endif
