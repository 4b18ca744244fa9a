/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mounts N DIRECTORY: more mounts, each a bind mount of a small directory below DIRECTORY onto itself, until the mount
 * table has N. (By mount(8) the five thousandth would take a while.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int count(void)
{
	FILE *stream = fopen("/proc/self/mountinfo", "re");
	int c, n = 0;

	if (stream == NULL)
		return -1;
	while ((c = fgetc(stream)) != EOF)
		n += c == '\n';
	fclose(stream);
	return n;
}

int main(int argc, char **argv)
{
	int wanted = argc == 3 ? atoi(argv[1]) : 0, n = count();
	char path[4096];

	if (wanted < n || n < 0) {
		fprintf(stderr, "mounts: %d mounts wanted, there are %d\n", wanted, n);
		return 1;
	}
	for (; n < wanted; n++) {
		snprintf(path, sizeof(path), "%s/%d", argv[2], n);
		if (mkdir(path, 0755) < 0 || mount(path, path, NULL, MS_BIND, NULL) < 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}
