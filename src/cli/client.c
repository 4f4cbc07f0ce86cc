/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "http/message.h"

static void
request_append(struct request *request, const char *more)
{
	const size_t room = sizeof(request->bytes) - request->length;
	const int length = snprintf(request->bytes + request->length, room, "%s", more);

	request->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* RFC 3986 section 2.3: all but unreserved characters are escaped. */
static void
append_escaped(struct request *request, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char piece[4];

	for (; *word != '\0'; word++) {
		snprintf(piece, sizeof(piece), strchr(plain, *word) != NULL ? "%c" : "%%%02X", (unsigned char)*word);
		request_append(request, piece);
	}
}

bool
request_wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	/* https://no-color.org: present and not empty. */
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

void
request_make(struct request *request, enum command_id id, const char *const arguments[], size_t count, bool json)
{
	const char *const *words = commands[id].words;

	request_append(request, commands[id].changes ? "POST /" : "GET /");
	request_append(request, command_word(words[0]));
	if (words[1] != NULL) {
		request_append(request, "/");
		request_append(request, command_word(words[1]));
	}
	request_append(request, json ? "?format=json" : "?format=text");
	if (!json && request_wants_colour())
		request_append(request, "&colour=yes");
	for (size_t i = 0; i < count; i++) {
		request_append(request, "&arg=");
		append_escaped(request, arguments[i]);
	}
	request_append(request, " HTTP/1.1\r\nHost: dsrd\r\nConnection: close\r\n\r\n");
}

#define PIECE 16384
#define RETRY_EVERY 5  /* milliseconds between two attempts to connect */
#define STOP_EVERY 200 /* milliseconds between two looks whether the user has enough */

struct talk {
	int fd;
	uint64_t end;
	char *bytes;
	size_t length;
	size_t room;
};

/* Milliseconds left; 0: timed out. */
static int
client_time_left(const struct talk *talk)
{
	const uint64_t now = clock_us();

	return now >= talk->end ? 0 : (int)((talk->end - now) / MILLISECONDS(1));
}

/* 0 when the socket is ready, -1 with errno ETIMEDOUT or another. */
static int
client_await(const struct talk *talk, short events)
{
	struct pollfd descriptor = { .fd = talk->fd, .events = events };
	int result;

	do
		result = poll(&descriptor, 1, client_time_left(talk));
	while (result == -1 && errno == EINTR);
	if (result == 0)
		errno = ETIMEDOUT;
	return result > 0 ? 0 : -1;
}

static int
client_connect(struct talk *talk, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	talk->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (talk->fd == -1)
		return -1;
	(void)fcntl(talk->fd, F_SETFD, FD_CLOEXEC);
	if (fcntl(talk->fd, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	/* The kernel's queue is full while many clients connect: no readiness tells when it has room again. */
	while (connect(talk->fd, (const struct sockaddr *)&address, sizeof(address)) == -1) {
		if ((errno != EAGAIN && errno != EINTR) || client_time_left(talk) == 0)
			return -1;
		(void)poll(NULL, 0, RETRY_EVERY);
	}
	return 0;
}

static int
client_write(const struct talk *talk, const char *request)
{
	size_t left = strlen(request);

	while (left > 0) {
		ssize_t sent;

		if (client_await(talk, POLLOUT) == -1)
			return -1;
		sent = send(talk->fd, request, left, MSG_NOSIGNAL);
		if (sent == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		/* A refusal may arrive before the whole request was read. */
		if (sent == -1)
			return errno == EPIPE ? 0 : -1;
		request += sent;
		left -= (size_t)sent;
	}
	return 0;
}

static int
client_grow(struct talk *talk)
{
	const size_t room = talk->room == 0 ? PIECE : talk->room * 2;
	char *bytes;

	if (talk->room - talk->length > 1)
		return 0;
	if (room > CLIENT_MOST) {
		errno = EFBIG;
		return -1;
	}
	bytes = realloc(talk->bytes, room);
	if (bytes == NULL)
		return -1;
	talk->bytes = bytes;
	talk->room = room;
	return 0;
}

/* All there is until the other end closes. */
static int
listen_to(struct talk *talk)
{
	for (;;) {
		ssize_t got;

		if (client_grow(talk) == -1 || client_await(talk, POLLIN) == -1)
			return -1;
		got = recv(talk->fd, talk->bytes + talk->length, talk->room - talk->length - 1, 0);
		if (got == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		talk->length += (size_t)got;
	}
	talk->bytes[talk->length] = '\0';
	return 0;
}

int
client_parse(char *bytes, size_t length, struct client_answer *answer)
{
	char *body = strstr(bytes, "\r\n\r\n"), *head = bytes;
	struct http_framing framing = { 0 };

	if (body == NULL)
		return -1;
	body[2] = '\0';
	answer->body = body + 4;
	answer->length = length - (size_t)(answer->body - bytes);
	answer->wrong = true;
	answer->status = http_status_line(http_line(&head));
	while (*head != '\0') {
		char *line = http_line(&head);
		const char *result = http_field(line, "Dsrd-Result");

		if (http_framing_field(&framing, line) == -1)
			return -1;
		if (result != NULL)
			answer->wrong = strcmp(result, "ok") != 0;
	}
	return answer->status == 0 || (framing.has_length && framing.length != answer->length) ? -1 : 0;
}

static enum client_result
client_explain(const char *path, unsigned seconds, bool connected, char error[CLIENT_ERROR])
{
	const bool absent = !connected && (errno == ENOENT || errno == ECONNREFUSED);

	if (absent)
		snprintf(error, CLIENT_ERROR, "no dsrd answers on %s (%s): is it running? With another `control` "
		    "in its configuration, use: dsrctl -s SOCKET", path, strerror(errno));
	else if (errno == ETIMEDOUT)
		snprintf(error, CLIENT_ERROR, "dsrd did not answer on %s within %u seconds", path, seconds);
	else if (errno == EACCES || errno == EPERM)
		snprintf(error, CLIENT_ERROR, "may not open %s: be root, or in the group that `control-group` "
		    "names", path);
	else
		snprintf(error, CLIENT_ERROR, "%s: %s", path, strerror(errno));
	return absent ? CLIENT_ABSENT : CLIENT_FAILED;
}

/* The received bytes become the answer, which owns them. */
static enum client_result
client_parse_answer(struct talk *talk, const char *path, struct client_answer *answer, char error[CLIENT_ERROR])
{
	if (client_parse(talk->bytes, talk->length, answer) == -1) {
		snprintf(error, CLIENT_ERROR, "%s: not a dsrd control socket, or the reply was cut short", path);
		return CLIENT_FAILED;
	}
	/* Only the body, at the start of the memory to be freed. */
	memmove(talk->bytes, answer->body, answer->length + 1);
	answer->body = talk->bytes;
	talk->bytes = NULL;
	return CLIENT_OK;
}

enum client_result
client_ask(const char *path, const char *request, unsigned seconds, struct client_answer *answer,
    char error[CLIENT_ERROR])
{
	struct talk talk = { .fd = -1 };
	enum client_result result = CLIENT_OK;
	bool connected = false;

	memset(answer, 0, sizeof(*answer));
	talk.end = clock_us() + SECONDS((uint64_t)seconds);
	connected = client_connect(&talk, path) == 0;
	if (!connected || client_write(&talk, request) == -1 || listen_to(&talk) == -1) {
		result = client_explain(path, seconds, connected, error);
	} else if (talk.length == 0) {
		snprintf(error, CLIENT_ERROR, "dsrd closed the connection without a reply: it has exited, or had no "
		    "memory for "
		    "one; its log says what happened");
		result = CLIENT_FAILED;
	} else {
		result = client_parse_answer(&talk, path, answer, error);
	}
	free(talk.bytes);
	if (talk.fd != -1)
		close(talk.fd);
	return result;
}

/* Has the head of the answer arrived, and does it announce a stream? */
static bool
has_stream(const struct talk *talk, size_t *head)
{
	const char *end = strstr(talk->bytes, "\r\n\r\n");

	if (end == NULL || strncmp(talk->bytes, "HTTP/1.1 200 ", 13) != 0)
		return false;
	*head = (size_t)(end - talk->bytes) + 4;
	return true;
}

/* Until the head is there, or all of a refusal. 1: a stream follows. */
static int
await_head(struct talk *talk, size_t *head)
{
	for (;;) {
		ssize_t got;

		if (client_grow(talk) == -1 || client_await(talk, POLLIN) == -1)
			return -1;
		got = recv(talk->fd, talk->bytes + talk->length, talk->room - talk->length - 1, 0);
		if (got == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got == -1)
			return -1;
		talk->length += (size_t)got;
		talk->bytes[talk->length] = '\0';
		if (has_stream(talk, head))
			return 1;
		if (got == 0)
			return 0;
	}
}

/* 0 at the stream's end, however it came about. */
static int
follow(struct talk *talk, size_t head, const struct client_stream *stream)
{
	struct pollfd descriptor = { .fd = talk->fd, .events = POLLIN };
	uint8_t bytes[PIECE];

	if (!stream->piece(stream->context, (const uint8_t *)talk->bytes + head, talk->length - head))
		return 0;
	while (!stream->stop(stream->context)) {
		const int ready = poll(&descriptor, 1, STOP_EVERY);
		ssize_t got;

		if (ready == -1 && errno != EINTR)
			return -1;
		if (ready <= 0)
			continue;
		got = recv(talk->fd, bytes, sizeof(bytes), 0);
		if (got == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (got == 0 || (got > 0 && !stream->piece(stream->context, bytes, (size_t)got)))
			return 0;
	}
	return 0;
}

enum client_result
client_follow(const char *path, const char *request, unsigned seconds, const struct client_stream *stream,
    struct client_answer *answer, char error[CLIENT_ERROR])
{
	struct talk talk = { .fd = -1 };
	enum client_result result = CLIENT_OK;
	bool connected;
	size_t head = 0;
	int streams = -1;

	memset(answer, 0, sizeof(*answer));
	talk.end = clock_us() + SECONDS((uint64_t)seconds);
	connected = client_connect(&talk, path) == 0;
	if (connected && client_write(&talk, request) == 0)
		streams = await_head(&talk, &head);
	if (streams == -1) {
		result = client_explain(path, seconds, connected, error);
	} else if (streams == 1) {
		answer->status = 200;
		if (follow(&talk, head, stream) == -1)
			result = client_explain(path, seconds, connected, error);
	} else {
		result = client_parse_answer(&talk, path, answer, error);
	}
	free(talk.bytes);
	if (talk.fd != -1)
		close(talk.fd);
	return result;
}
