/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * talk: somebody to be found, or not, from another session: by a socket's path, or by a port of 127.0.0.1.
 *
 * usage: talk listen PATH|PORT TEXT    says TEXT to whoever connects, until it is killed
 *        talk ask PATH|PORT            prints what it is told; "nobody" and 1 where nobody listens
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static socklen_t parse(const char *place, struct sockaddr_storage *ret)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (*place != '/') {
		port.sin_port = htons((uint16_t)atoi(place));
		memcpy(ret, &port, sizeof(port));
		return sizeof(port);
	}
	if (strlen(place) >= sizeof(path.sun_path))
		die(place);
	memcpy(path.sun_path, place, strlen(place));
	memcpy(ret, &path, sizeof(path));
	return sizeof(path);
}

static void say(int fd, const char *text)
{
	signal(SIGPIPE, SIG_IGN);
	if (write(fd, text, strlen(text)) < 0)
		perror("write");
	close(fd);
}

static int tell(int fd)
{
	char text[256];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n < 0)
		die("read");
	text[n] = '\0';
	puts(text);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address = {0};
	socklen_t size;
	int fd;

	if (argc < 3)
		return 2;
	size = parse(argv[2], &address);
	fd = socket(address.ss_family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (argc == 3) {
		if (connect(fd, (struct sockaddr *)&address, size) == 0)
			return tell(fd);
		puts("nobody");
		return 1;
	}
	if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 8) < 0)
		die(argv[2]);
	for (;;)
		say(accept(fd, NULL, NULL), argv[3]);
}
