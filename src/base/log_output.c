/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/log_output.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define HEADER 2 /* of a record: its length, in the order of this machine */
/* How long a line for syslog waits while `async` is off. */
#define SYSLOG_PATIENCE 1000

enum outcome { WRITTEN, MUST_WAIT, LOST };

/* /dev/log on Linux, OpenBSD and NetBSD; the BSDs' daemons listen in /var/run, macOS's under its own name. */
static const char *const syslog_paths[] = { "/dev/log", "/var/run/log", "/var/run/syslog" };

static void
log_output_close(struct log_output *output)
{
	if (output->fd > STDERR_FILENO)
		(void)close(output->fd);
	output->fd = -1;
	output->nonblocking = false;
}

/* A datagram socket, as on nearly every system; some daemons can listen on a stream. */
static int
connect_syslog(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0)
		return -1;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static bool
open_syslog(struct log_output *output)
{
	for (size_t i = 0; i < ARRAY_LEN(syslog_paths) && output->fd == -1; i++) {
		output->stream = false;
		output->fd = connect_syslog(syslog_paths[i], SOCK_DGRAM);
		if (output->fd != -1)
			break;
		output->stream = true;
		output->fd = connect_syslog(syslog_paths[i], SOCK_STREAM);
	}
	return output->fd != -1;
}

/*
 * O_NONBLOCK belongs to what was opened, which the starting shell and others share. So a pipe or terminal is opened
 * again, for us alone. Systems where that only duplicates the descriptor, and a user who may not, leave poll(2).
 */
static void
open_stderr(struct log_output *output)
{
	struct stat mine, old;
	bool same;

	if (fstat(STDERR_FILENO, &mine) != 0 || (!S_ISFIFO(mine.st_mode) && !S_ISCHR(mine.st_mode))) {
		log_output_close(output);
		return;
	}
	same = output->fd != -1 && fstat(output->fd, &old) == 0 && old.st_dev == mine.st_dev &&
	    old.st_ino == mine.st_ino;
	if (same)
		return;
	log_output_close(output);
	output->fd = open("/dev/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (output->fd == -1)
		return;
	output->nonblocking = (fcntl(output->fd, F_GETFL) & O_NONBLOCK) != 0;
	if (!output->nonblocking)
		log_output_close(output);
}

static enum outcome
write_stderr(struct log_output *output, const unsigned char *bytes, size_t *length)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written;

	if (output->nonblocking) {
		written = write(output->fd, bytes, *length);
	} else {
		written = send(STDERR_FILENO, bytes, *length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (written == -1 && errno == ENOTSOCK) {
			if (poll(&ready, 1, 0) == 0)
				return MUST_WAIT;
			written = write(STDERR_FILENO, bytes, *length);
		}
	}
	if (written >= 0) {
		*length = (size_t)written;
		return WRITTEN;
	}
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? MUST_WAIT : LOST;
}

/* A daemon that was restarted has a new socket. */
static enum outcome
write_syslog(struct log_output *output, const unsigned char *bytes, size_t *length)
{
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		ssize_t written;

		if (output->fd == -1 && !open_syslog(output))
			return MUST_WAIT;
		written = send(output->fd, bytes, *length - (output->stream ? 0 : 1), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (written >= 0) {
			*length = output->stream ? (size_t)written : *length;
			return WRITTEN;
		}
		/* The BSDs say ENOBUFS when the daemon's queue is full. */
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS)
			return MUST_WAIT;
		if (errno == EMSGSIZE)
			return LOST;
		log_output_close(output);
	}
	return MUST_WAIT;
}

static enum outcome
write_now(struct log_output *output, const unsigned char *bytes, size_t *length)
{
	return output->sink == SINK_SYSLOG ? write_syslog(output, bytes, length) : write_stderr(output, bytes, length);
}

/*
 * Until the reader can take more, or `milliseconds` have passed (-1: without limit). False: it is not worth another
 * try.
 */
static bool
wait_for_reader(const struct log_output *output, int milliseconds)
{
	struct pollfd ready = { .fd = output->sink == SINK_SYSLOG || output->nonblocking ? output->fd : STDERR_FILENO,
		.events = POLLOUT };

	if (ready.fd == -1)
		return false;
	return poll(&ready, 1, milliseconds) > 0 || errno == EINTR;
}

static int
write_waiting(struct log_output *output, const unsigned char *bytes, size_t length)
{
	const int patience = output->sink == SINK_SYSLOG ? SYSLOG_PATIENCE : -1;

	while (length > 0) {
		size_t part = length;

		switch (write_now(output, bytes, &part)) {
		case WRITTEN:
			bytes += part;
			length -= part;
			break;
		case MUST_WAIT:
			errno = 0;
			if (wait_for_reader(output, patience))
				break;
			/* FALLTHROUGH */
		case LOST:
			output->lost++;
			return -1;
		}
	}
	return 0;
}

static void
ring_copy_in(struct log_output *output, const void *bytes, size_t length)
{
	const size_t at = (output->first + output->used) % LOG_RING;
	const size_t here = length < LOG_RING - at ? length : LOG_RING - at;

	memcpy(output->ring + at, bytes, here);
	memcpy(output->ring, (const unsigned char *)bytes + here, length - here);
	output->used += length;
}

static void
ring_copy_out(const struct log_output *output, size_t skip, void *bytes, size_t length)
{
	const size_t at = (output->first + skip) % LOG_RING;
	const size_t here = length < LOG_RING - at ? length : LOG_RING - at;

	memcpy(bytes, output->ring + at, here);
	memcpy((unsigned char *)bytes + here, output->ring, length - here);
}

static int
ring_push(struct log_output *output, const unsigned char *bytes, size_t length)
{
	const uint16_t header = (uint16_t)length;

	if (HEADER + length > LOG_RING - output->used) {
		output->lost++;
		return -1;
	}
	ring_copy_in(output, &header, HEADER);
	ring_copy_in(output, bytes, length);
	return 0;
}

static void
ring_pop(struct log_output *output, size_t length)
{
	output->first = (output->first + HEADER + length) % LOG_RING;
	output->used -= HEADER + length;
	output->written = 0;
}

bool
log_output_waiting(const struct log_output *output)
{
	return output->used > 0;
}

void
log_output_drain(struct log_output *output)
{
	unsigned char line[LOG_LINE];
	uint16_t length;
	size_t part;

	while (output->used > 0) {
		ring_copy_out(output, 0, &length, HEADER);
		ring_copy_out(output, HEADER, line, length);
		part = length - output->written;
		switch (write_now(output, line + output->written, &part)) {
		case MUST_WAIT:
			return;
		case LOST:
			output->lost++;
			ring_pop(output, length);
			break;
		case WRITTEN:
			output->written += part;
			if (output->written >= length)
				ring_pop(output, length);
			break;
		}
	}
}

void
log_output_finish(struct log_output *output, int milliseconds)
{
	struct timespec now;
	int64_t end, left = milliseconds;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 + milliseconds;
	log_output_drain(output);
	while (output->used > 0 && left > 0 && wait_for_reader(output, (int)left)) {
		log_output_drain(output);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		left = end - (now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000);
	}
	while (output->used > 0) {
		uint16_t length;

		ring_copy_out(output, 0, &length, HEADER);
		ring_pop(output, length);
		output->lost++;
	}
}

void
log_output_open(struct log_output *output, enum log_sink sink)
{
	if (sink != output->sink) {
		log_output_finish(output, 0);
		log_output_close(output);
	}
	output->sink = sink;
	/* Connected now, as later this process may be in a chroot or without the right to. */
	if (sink == SINK_STDERR)
		open_stderr(output);
	else if (output->fd == -1)
		(void)open_syslog(output);
}

int
log_output_write(struct log_output *output, const char *bytes, size_t length)
{
	const unsigned char *line = (const unsigned char *)bytes;
	size_t part = length;

	if (!output->async)
		return write_waiting(output, line, length);
	if (output->used > 0)
		log_output_drain(output);
	if (output->used > 0)
		return ring_push(output, line, length);
	switch (write_now(output, line, &part)) {
	case MUST_WAIT:
		return ring_push(output, line, length);
	case LOST:
		output->lost++;
		return -1;
	case WRITTEN:
		break;
	}
	if (part >= length)
		return 0;
	/* Half a line is out: the rest is a record of its own. */
	return ring_push(output, line + part, length - part);
}
