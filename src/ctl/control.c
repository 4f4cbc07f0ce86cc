/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/duration.h"
#include "http/server.h"

/* In a tenth of a second: each costs some 50 us, so that is one twentieth of the time. */
#define ACCEPTS 100

struct control {
	const struct control_calls *calls;
	void *context;
	char *path;
	struct http_server *server;
};

/* --- the socket --- */

static int
control_open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Does a program listen there? A full queue (EAGAIN) means yes, too. */
static bool
control_is_answered(const struct sockaddr_un *address)
{
	int fd = control_open_socket();
	bool answered = true;

	if (fd == -1)
		return true;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == -1)
		answered = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return answered;
}

/* Makes way for a new socket. 0, or -1 with errno and a reason. */
static int
control_clear_way(const struct sockaddr_un *address, char error[CONTROL_ERROR])
{
	const char *path = address->sun_path;
	struct stat status;

	if (lstat(path, &status) == -1) {
		if (errno == ENOENT)
			return 0;
		snprintf(error, CONTROL_ERROR, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISSOCK(status.st_mode)) {
		snprintf(error, CONTROL_ERROR, "%s exists and is not a socket: remove it, or set `control` to "
		    "another path", path);
		errno = EEXIST;
		return -1;
	}
	if (control_is_answered(address)) {
		snprintf(error, CONTROL_ERROR, "another dsrd answers on %s: stop it first, or give this one another "
		    "`control` path", path);
		errno = EADDRINUSE;
		return -1;
	}
	if (unlink(path) == -1) {
		snprintf(error, CONTROL_ERROR, "cannot remove %s, left by a dsrd that is gone: %s", path,
		    strerror(errno));
		return -1;
	}
	return 0;
}

/* The mode is right from the start: at no moment can others connect. */
static int
control_bind_private(int fd, const struct sockaddr_un *address)
{
	const mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	const int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	const int number = errno;

	umask(before);
	errno = number;
	return result;
}

static int
control_open_to_group(const char *path, const char *group, char error[CONTROL_ERROR])
{
	const struct group *found = getgrnam(group);

	if (found == NULL) {
		snprintf(error, CONTROL_ERROR, "group `%s` (control-group) does not exist: create it, with `groupadd "
		    "%s` or "
		    "what your system has", group, group);
		errno = ENOENT;
		return -1;
	}
	if (chown(path, (uid_t)-1, found->gr_gid) == -1 || chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == -1) {
		snprintf(error, CONTROL_ERROR, "cannot give %s to group %s: %s", path, group, strerror(errno));
		return -1;
	}
	return 0;
}

/* A bound socket, nonblocking; or -1 with errno and a reason. */
static int
control_bind(const char *path, const char *group, char error[CONTROL_ERROR])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, number;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(error, CONTROL_ERROR, "the path %.300s is too long for a socket: at most %zu bytes", path,
		    sizeof(address.sun_path) - 1);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (control_clear_way(&address, error) == -1)
		return -1;
	fd = control_open_socket();
	if (fd == -1 || control_bind_private(fd, &address) == -1) {
		number = errno;
		snprintf(error, CONTROL_ERROR, "cannot make the socket %s: %s%s", path, strerror(number),
		    number == ENOENT ? " (is the directory there?)" : "");
	} else if (group[0] != '\0' && control_open_to_group(path, group, error) == -1) {
		number = errno;
		unlink(path);
	} else {
		return fd;
	}
	if (fd != -1)
		close(fd);
	errno = number;
	return -1;
}

/* --- requests --- */

static void
control_peer(void *context, int fd, const struct sockaddr *address UNUSED, struct http_peer *peer)
{
	const struct control *control = context;
	uint32_t user = UINT32_MAX;

	peer->privileged = control->calls->peer == NULL || control->calls->peer(control->context, fd, &user);
	memcpy(peer->source, &user, sizeof(user));
}

static unsigned
control_parse(void *context UNUSED, int fd UNUSED, const char *head, size_t length, void *request, const char **why)
{
	return http_parse(head, length, request, why);
}

static unsigned
control_status(enum control_result result)
{
	switch (result) {
	case CONTROL_DONE:
	case CONTROL_WRONG:
	case CONTROL_STREAM:
		return 200;
	case CONTROL_USAGE:
		return 400;
	case CONTROL_UNKNOWN:
		return 404;
	case CONTROL_REFUSED:
		return 422;
	case CONTROL_BUSY:
		return 409;
	case CONTROL_FORBIDDEN:
		return 403;
	case CONTROL_WAIT:
	case CONTROL_MORE:
		break;
	}
	return 500;
}

static enum http_step
control_answer(void *context, const struct http_call *call, FILE *out, struct http_reply *reply)
{
	const struct control *control = context;
	const struct http_request *request = call->request;
	const struct control_ask ask = { request, call->client, call->fd, call->number == 0, call->last };
	const enum control_result result = control->calls->answer(control->context, &ask, out);
	const bool well = result == CONTROL_DONE || result == CONTROL_STREAM;

	reply->status = control_status(result);
	if (reply->status == 200 && !request->text)
		reply->type = "application/json; charset=utf-8";
	(void)snprintf(reply->fields, sizeof(reply->fields), "Dsrd-Result: %s\r\n", well ? "ok" : "wrong");
	switch (result) {
	case CONTROL_STREAM:
		reply->type = "application/octet-stream";
		return HTTP_STREAM;
	case CONTROL_WAIT:
		return HTTP_WAIT;
	case CONTROL_MORE:
		return HTTP_MORE;
	case CONTROL_DONE:
	case CONTROL_WRONG:
	case CONTROL_USAGE:
	case CONTROL_UNKNOWN:
	case CONTROL_REFUSED:
	case CONTROL_BUSY:
	case CONTROL_FORBIDDEN:
		break;
	}
	return HTTP_DONE;
}

static void
control_gone(void *context, const void *client)
{
	const struct control *control = context;

	control->calls->gone(control->context, client);
}

bool
control_stream(struct control *control, const void *client, const void *bytes, size_t length)
{
	return http_server_stream(control->server, client, bytes, length);
}

struct control *
control_open(struct event_base *base, const char *path, const char *group, unsigned patience,
    const struct control_calls *calls, void *context, char error[CONTROL_ERROR])
{
	static const struct http_calls handlers = { control_peer, control_parse, control_answer, control_gone };
	const struct http_policy policy = {
		.places = { CONTROL_CONNECTIONS, CONTROL_RESERVED, CONTROL_SHARE },
		.head = HTTP_HEAD, .request = sizeof(struct http_request), .accepts = ACCEPTS, .patience = patience,
		.work = CONTROL_WORK * 1000, .in_turn = true, .allow = "GET, HEAD, POST", .fields = "",
		.refusal = "Dsrd-Result: wrong\r\n",
	};
	struct control *control = calloc(1, sizeof(*control));
	char *copy = strdup(path);
	int fd, number;

	if (control == NULL || copy == NULL) {
		snprintf(error, CONTROL_ERROR, "out of memory");
		number = ENOMEM;
		goto failed;
	}
	*control = (struct control){ .calls = calls, .context = context };
	fd = control_bind(path, group, error);
	number = errno;
	if (fd == -1)
		goto failed;
	control->path = copy;
	control->server = http_server_open(base, fd, &policy, &handlers, control);
	if (control->server != NULL)
		return control;
	number = errno;
	snprintf(error, CONTROL_ERROR, "cannot listen on %s: %s", path, strerror(number));
	control_close(control);
	errno = number;
	return NULL;
failed:
	free(copy);
	free(control);
	errno = number;
	return NULL;
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	http_server_close(control->server);
	/* Where the unlink is no longer permitted, the next dsrd detects the stale socket. */
	(void)unlink(control->path);
	free(control->path);
	free(control);
}
