/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * devlog SOCKET FILE: the syslog daemon of the scratch world. Every datagram that comes to SOCKET becomes a line of
 * FILE, "<PRIORITY>text". It prints "ready" when it listens, goes to the background, and ends with its world.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	char text[8192];
	int in, out;
	ssize_t n;

	in = argc == 3 ? listen_on(argv[1]) : -1;
	out = in < 0 ? -1 : open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (out < 0) {
		perror("devlog");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	if (daemon(0, 0) < 0)
		return 1;
	while ((n = recv(in, text, sizeof(text) - 1, 0)) >= 0) {
		if (n == 0 || text[n - 1] != '\n')
			text[n++] = '\n';
		if (write(out, text, (size_t)n) < 0)
			return 1;
	}
	return 1;
}
