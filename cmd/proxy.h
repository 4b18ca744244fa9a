/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the caller's terminal (or pipe) and the master of a pty, until what runs on the pty has ended: bytes both ways,
 * the window's size, raw mode while this process is in the foreground, signals, stopping and going on.
 */
#ifndef NSCLONE_CMD_PROXY_H
#define NSCLONE_CMD_PROXY_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct proxy {
	int master;  /* closed at the end */
	int in;	     /* what is typed on it; -1: nothing */
	int out;     /* where goes what it shows */
	pid_t child; /* whose end is the end, to whom signals go, and who stops us by stopping; 0: link tells */
	int link;    /* readable: heard() is asked; -1: none */
	bool (*heard)(void *argument, int *status); /* true: it has ended, with this exit status */
	void *argument;
};

/* The exit status: of the child, or what heard() said; 128 and its number where a signal ended it or us. */
int proxy_run(const struct proxy *proxy);

/* The terminal among descriptors 0 to 2 that counts, -1 where there is none. */
int proxy_terminal(void);

/* The settings and the size of terminal go to the pty; without a terminal to type on it shows bytes as they are. */
void proxy_copy_settings(int terminal, int pty, bool typed);

#endif
