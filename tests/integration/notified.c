/* SPDX-License-Identifier: ISC */
/*
 * A service manager's ear: listens on a datagram socket as systemd does for NOTIFY_SOCKET (sd_notify(3)), and prints
 * what is said, a line each, until told to stop or SECONDS have passed.
 *
 *	notified SOCKET SECONDS
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[4096];
	int fd;

	if (argc != 3 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "usage: notified SOCKET SECONDS\n");
		return 64; /* EX_USAGE, sysexits(3) */
	}
	memcpy(addr.sun_path, argv[1], strlen(argv[1]) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) == -1) {
		perror(argv[1]);
		return 1;
	}
	alarm((unsigned)strtoul(argv[2], NULL, 10));
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		const ssize_t length = recv(fd, text, sizeof(text), 0);

		if (length == -1) {
			perror("recv");
			return 1;
		}
		printf("%.*s\n", (int)length, text);
		fflush(stdout);
	}
}
