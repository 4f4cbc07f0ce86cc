/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/control.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/attr.h"
#include "ctl/control_socket.h"
#include "http/message.h"

#define BACKLOG 16
static const struct timeval again = { 0, 100000 };   /* between two looks at an answer that is awaited */
static const struct timeval at_once = { 0, 0 };      /* when all that is ready had its turn */
static const struct timeval recover = { 1, 0 };      /* no accept() after one that failed */
static const struct timeval stream_patience = { CONTROL_STREAM_PATIENCE, 0 };
#define LOOKS (CONTROL_WORK * 10)

/* A connection: it sends one request, waits for the answer, takes it, and is closed. */
struct client {
	struct control *control; /* NULL: the place is free */
	struct bufferevent *bufev;
	struct event *timer;     /* ends the connection, or looks again for the answer */
	struct http_request request;
	unsigned looks;
	bool due;                /* for a look at its answer */
	bool waiting;            /* for the answer */
	bool answered;
	bool streaming;          /* the answer goes on until the client leaves */
};

struct control {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *recovery;
	struct event *worker;
	struct timeval patience;
	size_t turn;             /* the next slot to be served */
	const struct control_calls *calls;
	void *context;
	char *path;
	struct client clients[CONTROL_CONNECTIONS];
};

static void
control_drop(struct client *client)
{
	struct control *control = client->control;

	if (client->waiting || client->streaming)
		control->calls->gone(control->context, client);
	if (client->timer != NULL)
		event_free(client->timer);
	if (client->bufev != NULL)
		bufferevent_free(client->bufev);
	memset(client, 0, sizeof(*client));
}

static void
control_free_body(const void *data UNUSED, size_t length UNUSED, void *body)
{
	free(body);
}

/* Takes `body`. */
static void
control_send_answer(struct client *client, unsigned status, enum control_result result, char *body, size_t length)
{
	struct evbuffer *output = bufferevent_get_output(client->bufev);
	const bool json = !client->request.text && status == 200;

	client->answered = true;
	client->waiting = false;
	if (evbuffer_add_printf(output, "HTTP/1.1 %u %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n"
	    "Dsrd-Result: %s\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", status, http_status_text(status),
	    json ? "application/json" : "text/plain", length, result == CONTROL_DONE ? "ok" : "wrong") < 0) {
		free(body);
		control_drop(client);
		return;
	}
	if (client->request.method == HTTP_HEAD_ONLY || length == 0) {
		free(body);
	} else if (evbuffer_add_reference(output, body, length, control_free_body, body) == -1) {
		/* The head has promised it. */
		free(body);
		control_drop(client);
		return;
	}
	bufferevent_enable(client->bufev, EV_WRITE);
	event_add(client->timer, &client->control->patience);
}

static void
control_send_refusal(struct client *client, unsigned status, const char *why)
{
	const size_t length = strlen(why) + 1;
	char *body = malloc(length + 1);

	if (body == NULL) {
		control_drop(client);
		return;
	}
	snprintf(body, length + 1, "%s\n", why);
	control_send_answer(client, status, CONTROL_REFUSED, body, length);
}

static unsigned
control_status_of(enum control_result result)
{
	switch (result) {
	case CONTROL_DONE:
	case CONTROL_WRONG:
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
	case CONTROL_STREAM:
		break;
	}
	return 500;
}

/*
 * All clients together get one slice, then everything else that is ready gets its turn: however many clients there are,
 * a burst of frames waits for at most one slice of work, or one report.
 */
static void
want_turn(struct client *client)
{
	client->due = true;
	event_del(client->timer);
	event_add(client->control->worker, &at_once);
}

static void
begin_stream(struct client *client)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nDsrd-Result: ok\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n\r\n";

	client->waiting = false;
	client->streaming = true;
	event_del(client->timer);
	if (bufferevent_write(client->bufev, head, sizeof(head) - 1) == -1 ||
	    bufferevent_set_timeouts(client->bufev, NULL, &stream_patience) == -1) {
		control_drop(client);
		return;
	}
	/* A HEAD request is complete when the head has been written. */
	client->answered = client->request.method == HTTP_HEAD_ONLY;
	bufferevent_enable(client->bufev, EV_WRITE);
}

bool
control_stream(struct control *control, const void *asker, const void *bytes, size_t length)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++) {
		struct client *client = &control->clients[i];

		if (client != asker || !client->streaming || client->answered)
			continue;
		return evbuffer_get_length(bufferevent_get_output(client->bufev)) + length <= CONTROL_STREAM_MOST &&
		    bufferevent_write(client->bufev, bytes, length) == 0;
	}
	return false;
}

/* Calls the handler, for the first time or again. */
static void
control_examine(struct client *client)
{
	struct control *control = client->control;
	const struct control_ask ask = { &client->request, client, bufferevent_getfd(client->bufev), !client->waiting,
		client->looks >= LOOKS };
	enum control_result result;
	char *body = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&body, &length);

	if (out == NULL) {
		control_send_refusal(client, 500, "out of memory");
		return;
	}
	client->waiting = true;
	result = control->calls->answer(control->context, &ask, out);
	if (fclose(out) != 0) {
		free(body);
		control_send_refusal(client, 500, "out of memory");
	} else if (result == CONTROL_STREAM) {
		free(body);
		begin_stream(client);
	} else if (result == CONTROL_MORE) {
		free(body);
		want_turn(client);
	} else if (result == CONTROL_WAIT && !ask.last) {
		free(body);
		client->looks++;
		event_add(client->timer, &again);
	} else {
		control_send_answer(client, control_status_of(result), result, body, length);
	}
}

static void
on_turn(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct control *control = arg;

	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++) {
		struct client *client = &control->clients[(control->turn + i) % CONTROL_CONNECTIONS];

		if (!client->due)
			continue;
		/* Another may be due. */
		event_add(control->worker, &at_once);
		control->turn = (control->turn + i + 1) % CONTROL_CONNECTIONS;
		client->due = false;
		control_examine(client);
		return;
	}
}

static void
control_on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct client *client = arg;

	if (client->waiting)
		want_turn(client);
	else
		control_drop(client);
}

static void
control_on_read(struct bufferevent *bufev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(bufev);
	const size_t length = evbuffer_get_length(input);
	const char *bytes, *why = "";
	size_t head;
	unsigned status;

	/* What comes behind the request is not looked at. */
	if (client->streaming)
		evbuffer_drain(input, length);
	if (client->due || client->waiting || client->answered || client->streaming)
		return;
	bytes = (const char *)evbuffer_pullup(input, -1);
	head = bytes == NULL ? 0 : http_head_length(bytes, length);
	if (head == 0 && length < HTTP_HEAD)
		return;
	status = head == 0 ? 413 : http_parse(bytes, head, &client->request, &why);
	evbuffer_drain(input, length);
	if (head == 0)
		why = "the request is too large";
	if (status == 0)
		want_turn(client);
	else
		control_send_refusal(client, status, why);
}

static void
control_on_written(struct bufferevent *bufev UNUSED, void *arg)
{
	struct client *client = arg;

	if (client->answered)
		control_drop(client);
}

static void
control_on_end(struct bufferevent *bufev UNUSED, short what UNUSED, void *arg)
{
	control_drop(arg);
}

static struct client *
control_find_place(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++)
		if (control->clients[i].control == NULL)
			return &control->clients[i];
	return NULL;
}

#define BUSY "dsrd answers as many clients as it can: try again\n"

/* Without a free slot for the client it cannot wait: a new socket accepts this much immediately. */
static void
refuse_connection(evutil_socket_t fd)
{
	char answer[256];
	const int length = snprintf(answer, sizeof(answer), "HTTP/1.1 503 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: %zu\r\nDsrd-Result: wrong\r\nConnection: close\r\n\r\n" BUSY, http_status_text(503), strlen(BUSY));

	(void)!send(fd, answer, (size_t)length, MSG_NOSIGNAL);
	evutil_closesocket(fd);
}

static void
on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *address UNUSED,
    int length UNUSED, void *arg)
{
	struct control *control = arg;
	struct client *client = control_find_place(control);

	if (client == NULL) {
		refuse_connection(fd);
		return;
	}
	client->control = control;
	client->timer = evtimer_new(control->base, control_on_timer, client);
	client->bufev = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->timer == NULL || client->bufev == NULL) {
		if (client->bufev == NULL)
			evutil_closesocket(fd);
		control_drop(client);
		return;
	}
	bufferevent_setcb(client->bufev, control_on_read, control_on_written, control_on_end, client);
	/* No more than a head is ever read. */
	bufferevent_setwatermark(client->bufev, EV_READ, 0, HTTP_HEAD);
	if (bufferevent_enable(client->bufev, EV_READ) == -1 || event_add(client->timer, &control->patience) == -1)
		control_drop(client);
}

/* No descriptors, most likely. A listener that goes on at once would keep the loop busy. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct control *control = arg;

	evconnlistener_disable(listener);
	event_add(control->recovery, &recover);
}

static void
on_recovery(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct control *control = arg;

	evconnlistener_enable(control->listener);
}

struct control *
control_open(struct event_base *base, const char *path, const char *group, unsigned patience,
    const struct control_calls *calls, void *context, char error[CONTROL_ERROR])
{
	struct control *control = calloc(1, sizeof(*control));
	int fd;

	if (control == NULL)
		goto no_memory;
	control->base = base;
	control->patience = (struct timeval){ patience / 1000, patience % 1000 * 1000 };
	control->calls = calls;
	control->context = context;
	fd = control_socket(path, group, error);
	if (fd == -1) {
		const int number = errno;

		free(control);
		errno = number;
		return NULL;
	}
	control->path = strdup(path);
	control->recovery = evtimer_new(base, on_recovery, control);
	control->worker = evtimer_new(base, on_turn, control);
	control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
	    BACKLOG, fd);
	if (control->listener == NULL)
		close(fd);
	if (control->path == NULL || control->recovery == NULL || control->worker == NULL || control->listener == NULL) {
		control_close(control);
		goto no_memory;
	}
	evconnlistener_set_error_cb(control->listener, on_accept_error);
	return control;
no_memory:
	snprintf(error, CONTROL_ERROR, "out of memory");
	errno = ENOMEM;
	return NULL;
}

void
control_close(struct control *control)
{
	if (control == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++)
		if (control->clients[i].control != NULL)
			control_drop(&control->clients[i]);
	if (control->listener != NULL)
		evconnlistener_free(control->listener);
	if (control->recovery != NULL)
		event_free(control->recovery);
	if (control->worker != NULL)
		event_free(control->worker);
	/* Where the unlink is no longer permitted, the next dsrd detects the stale socket. */
	if (control->path != NULL)
		(void)unlink(control->path);
	free(control->path);
	free(control);
}
