/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "http/server.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/duration.h"
#include "http/message.h"

#define BACKLOG 128
#define ACCEPTS_A_TURN 4                              /* then frames have their turn */
#define REST_MOST SECONDS(1)
static const struct timeval window = { 0, 100000 };   /* of `accepts` */
static const struct timeval recover = { 1, 0 };       /* no accept() after one that failed */
static const struct timeval again = { 0, 100000 };    /* between two calls for an answer that is awaited */
static const struct timeval stream_patience = { HTTP_STREAM_PATIENCE, 0 };

struct client {
	struct http_server *server;
	struct http_place *place;
	void *request;
	struct bufferevent *bufev;
	struct event *deadline;
	struct event *awaited;   /* the next call for an answer that was not ready */
	FILE *out;               /* while the answer is written ... */
	char *body;              /* ... to here */
	size_t length;
	size_t calls;
	uint64_t turn;           /* when it is its turn: counts up */
	bool head_only;
	bool due;                /* for a call */
	bool last;               /* the time for its answer is up */
	bool streaming;          /* the answer goes on until the client leaves */
};

struct http_server {
	struct event_base *base;
	struct http_policy policy;
	const struct http_calls *calls;
	void *context;
	int fd;
	struct event *listener;
	struct event *window;    /* ends the present `accepts` */
	struct event *worker;    /* calls for the next answer */
	unsigned accepts;        /* in the present window */
	uint64_t turns;
	uint64_t rested;         /* when the next answer may be given, in microseconds */
	struct client *clients;
	struct http_place *places;
	unsigned char *requests;
};

static struct timeval
server_time(uint64_t microseconds)
{
	return (struct timeval){ (time_t)(microseconds / SECONDS(1)), (suseconds_t)(microseconds % SECONDS(1)) };
}

static void
server_arm(struct client *client, unsigned milliseconds)
{
	const struct timeval time = server_time(MILLISECONDS(milliseconds));

	event_add(client->deadline, &time);
}

static void
server_drop(struct client *client)
{
	struct http_server *server = client->server;

	if (server->calls->gone != NULL && (client->place->state == HTTP_PLACE_WORKING || client->streaming))
		server->calls->gone(server->context, client);
	if (client->out != NULL)
		fclose(client->out);
	free(client->body);
	if (client->deadline != NULL)
		event_free(client->deadline);
	if (client->awaited != NULL)
		event_free(client->awaited);
	if (client->bufev != NULL)
		bufferevent_free(client->bufev);
	memset(client->place, 0, sizeof(*client->place));
	*client = (struct client){ .server = server, .place = client->place, .request = client->request };
}

/* --- answers --- */

static void
server_free_body(const void *data, size_t length, void *body)
{
	(void)data;
	(void)length;
	free(body);
}

/* What the system takes at once needs no place any more. */
static void
server_send(struct client *client, struct evbuffer *answer)
{
	const int sent = evbuffer_write(answer, bufferevent_getfd(client->bufev));
	const bool failed = sent == -1 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;

	client->place->state = HTTP_PLACE_SENDING;
	client->place->since = client->server->turns++;
	if (client->server->policy.work != 0)
		server_arm(client, client->server->policy.patience);
	if (failed || evbuffer_get_length(answer) == 0 ||
	    bufferevent_write_buffer(client->bufev, answer) == -1 || bufferevent_enable(client->bufev, EV_WRITE) == -1)
		server_drop(client);
}

/* Takes `body`. */
static void
server_reply(struct client *client, const struct http_reply *reply, char *body, size_t length)
{
	const struct http_policy *policy = &client->server->policy;
	struct evbuffer *answer = evbuffer_new();
	bool made = answer != NULL && evbuffer_add_printf(answer, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\nCache-Control: no-store\r\n%s%s", reply->status, http_status_text(reply->status),
	    reply->type, length, policy->fields, reply->fields) >= 0 &&
	    (reply->status != 405 || evbuffer_add_printf(answer, "Allow: %s\r\n", policy->allow) >= 0) &&
	    evbuffer_add_printf(answer, "Connection: close\r\n\r\n") >= 0;

	if (!made || client->head_only || length == 0)
		free(body);
	else if (evbuffer_add_reference(answer, body, length, server_free_body, body) == -1) {
		free(body);
		made = false; /* the head has promised it */
	}
	if (made)
		server_send(client, answer);
	else
		server_drop(client);
	if (answer != NULL)
		evbuffer_free(answer);
}

static void
server_refuse(struct client *client, unsigned status, const char *why)
{
	const size_t length = strlen(why) + 1;
	struct http_reply reply = { .status = status, .type = "text/plain; charset=utf-8" };
	char *body = malloc(length + 1);

	/* No answer was begun, or none is to follow: the handler need not know that this client leaves. */
	if (body == NULL) {
		server_drop(client);
		return;
	}
	(void)snprintf(body, length + 1, "%s\n", why);
	(void)snprintf(reply.fields, sizeof(reply.fields), "%s", client->server->policy.refusal);
	server_reply(client, &reply, body, length);
}

static void
server_begin_stream(struct client *client, const struct http_reply *reply)
{
	struct evbuffer *output = bufferevent_get_output(client->bufev);

	client->streaming = true;
	client->place->state = HTTP_PLACE_WORKING;
	event_del(client->deadline);
	if (evbuffer_add_printf(output, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: no-store\r\n%s%s"
	    "Connection: close\r\n\r\n", reply->type, client->server->policy.fields, reply->fields) < 0 ||
	    bufferevent_set_timeouts(client->bufev, NULL, &stream_patience) == -1 ||
	    bufferevent_enable(client->bufev, EV_WRITE) == -1)
		server_drop(client);
}

bool
http_server_stream(struct http_server *server, const void *stream, const void *bytes, size_t length)
{
	for (size_t i = 0; i < server->policy.places.count; i++) {
		struct client *client = &server->clients[i];

		/* A client that only wants the head has it when it is written. */
		if (client == stream && client->streaming && !client->head_only)
			return evbuffer_get_length(bufferevent_get_output(client->bufev)) + length <=
			    HTTP_STREAM_MOST &&
			    bufferevent_write(client->bufev, bytes, length) == 0;
	}
	return false;
}

/* --- whose turn it is --- */

static struct client *
server_find_due(const struct http_server *server)
{
	struct client *first = NULL;

	for (size_t i = 0; i < server->policy.places.count; i++) {
		struct client *client = &server->clients[i];

		if (client->due && (first == NULL || client->turn < first->turn))
			first = client;
	}
	return first;
}

static void
server_schedule(struct http_server *server)
{
	const uint64_t now = clock_us();
	const struct timeval delay = server_time(server->rested > now ? server->rested - now : 0);

	if (server_find_due(server) != NULL && !evtimer_pending(server->worker, NULL))
		evtimer_add(server->worker, &delay);
}

static void
server_want_turn(struct client *client)
{
	client->due = true;
	client->turn = client->server->turns++;
	server_schedule(client->server);
}

static void
server_finish(struct client *client, const struct http_reply *reply)
{
	FILE *out = client->out;
	char *body;

	client->out = NULL;
	if (fclose(out) != 0) {
		server_refuse(client, 500, "out of memory");
		return;
	}
	body = client->body;
	client->body = NULL;
	server_reply(client, reply, body, client->length);
}

/* One call for an answer. */
static void
server_call(struct client *client)
{
	struct http_server *server = client->server;
	const struct http_call call = { client->request, client, bufferevent_getfd(client->bufev), client->calls++,
		client->last };
	struct http_reply reply = { .status = 500, .type = "text/plain; charset=utf-8" };
	enum http_step step;

	client->due = false;
	if (client->out == NULL)
		client->out = open_memstream(&client->body, &client->length);
	if (client->out == NULL) {
		server_refuse(client, 500, "out of memory");
		return;
	}
	step = server->calls->answer(server->context, &call, client->out, &reply);
	if (step == HTTP_STREAM) {
		server_begin_stream(client, &reply);
	} else if (step == HTTP_MORE) {
		client->due = true;
		if (server->policy.in_turn)
			client->turn = server->turns++;
	} else if (step == HTTP_WAIT && !call.last) {
		event_add(client->awaited, &again);
	} else {
		server_finish(client, &reply);
	}
}

/* One call, then a rest in which frames are forwarded. */
static void
server_on_worker(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	struct client *client = server_find_due(server);
	const uint64_t begin = clock_us();
	uint64_t rest, end;

	(void)fd;
	(void)what;
	if (client == NULL)
		return;
	server_call(client);
	end = clock_us();
	rest = (end - begin) * server->policy.rest;
	server->rested = end + (rest > REST_MOST ? REST_MOST : rest);
	server_schedule(server);
}

/* --- connections --- */

static void
server_on_awaited(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	server_want_turn(arg);
}

static void
server_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;
	const struct http_policy *policy = &client->server->policy;

	(void)fd;
	(void)what;
	if (client->place->state != HTTP_PLACE_WORKING || policy->work == 0 || client->last) {
		server_drop(client);
		return;
	}
	server_arm(client, policy->patience);
	/* Work that goes on comes to an end by itself; what is awaited may not. */
	if (client->due)
		return;
	client->last = true;
	event_del(client->awaited);
	server_want_turn(client);
}

static void
server_on_read(struct bufferevent *bufev, void *arg)
{
	struct client *client = arg;
	struct http_server *server = client->server;
	const struct http_policy *policy = &server->policy;
	struct evbuffer *input = bufferevent_get_input(bufev);
	const size_t length = evbuffer_get_length(input);
	const char *bytes, *why = "the request is too large";
	size_t head;
	unsigned status;

	/* What follows the request is of no interest, but the end of a stream's client is. */
	if (client->place->state != HTTP_PLACE_SILENT) {
		if (client->streaming)
			evbuffer_drain(input, length);
		return;
	}
	bytes = (const char *)evbuffer_pullup(input, -1);
	head = bytes == NULL ? 0 : http_head_length(bytes, length);
	if (head == 0 && length < policy->head)
		return;
	client->head_only = length > 5 && memcmp(bytes, "HEAD ", 5) == 0;
	status = head == 0 ? 413 :
	    server->calls->parse(server->context, bufferevent_getfd(bufev), bytes, head, client->request, &why);
	evbuffer_drain(input, length);
	if (status != 0) {
		server_refuse(client, status, why);
		return;
	}
	client->place->state = HTTP_PLACE_WORKING;
	if (policy->work != 0)
		server_arm(client, policy->work);
	server_want_turn(client);
}

static void
server_on_written(struct bufferevent *bufev, void *arg)
{
	struct client *client = arg;

	(void)bufev;
	if (client->place->state == HTTP_PLACE_SENDING || (client->streaming && client->head_only))
		server_drop(client);
}

/* The client has read something. */
static void
server_on_drained(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct client *client = arg;

	(void)buffer;
	if (info->n_deleted > 0)
		client->place->since = client->server->turns++;
}

static void
server_on_end(struct bufferevent *bufev, short what, void *arg)
{
	struct client *client = arg;

	if (what == (BEV_EVENT_READING | BEV_EVENT_EOF) && client->server->policy.half_close &&
	    client->place->state != HTTP_PLACE_SILENT)
		bufferevent_disable(bufev, EV_READ);
	else
		server_drop(client);
}

/* A client without a place does not wait: the socket is new and takes this much at once. */
static void
server_refuse_connection(const struct http_server *server, int fd)
{
	static const char busy[] = "dsrd answers as many clients as it can: try again\n";
	char answer[1024];
	const int length = snprintf(answer, sizeof(answer), "HTTP/1.1 503 %s\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\n"
	    "Content-Length: %zu\r\n%s%sConnection: close\r\n\r\n%s", http_status_text(503), sizeof(busy) - 1,
	    server->policy.fields, server->policy.refusal, busy);

	(void)!send(fd, answer, (size_t)length, MSG_NOSIGNAL);
	evutil_closesocket(fd);
}

static void
server_begin(struct http_server *server, int fd, const struct sockaddr *address)
{
	struct http_peer peer = { .privileged = true };
	struct client *client;
	size_t index;

	if (server->calls->peer != NULL)
		server->calls->peer(server->context, fd, address, &peer);
	index = http_place_find(server->places, &server->policy.places, &peer);
	if (index == server->policy.places.count || evutil_make_socket_nonblocking(fd) == -1 ||
	    evutil_make_socket_closeonexec(fd) == -1) {
		server_refuse_connection(server, fd);
		return;
	}
	client = &server->clients[index];
	if (client->place->state != HTTP_PLACE_FREE)
		server_drop(client);
	*client->place = (struct http_place){ HTTP_PLACE_SILENT, peer, server->turns++ };
	client->deadline = evtimer_new(server->base, server_on_deadline, client);
	client->awaited = evtimer_new(server->base, server_on_awaited, client);
	client->bufev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->bufev == NULL)
		evutil_closesocket(fd);
	if (client->deadline == NULL || client->awaited == NULL || client->bufev == NULL ||
	    evbuffer_add_cb(bufferevent_get_output(client->bufev), server_on_drained, client) == NULL) {
		server_drop(client);
		return;
	}
	bufferevent_setcb(client->bufev, server_on_read, server_on_written, server_on_end, client);
	/* No more than a head is ever read. */
	bufferevent_setwatermark(client->bufev, EV_READ, 0, server->policy.head);
	server_arm(client, server->policy.patience);
	if (bufferevent_enable(client->bufev, EV_READ) == -1)
		server_drop(client);
}

static void
server_on_acceptable(evutil_socket_t listening, short what, void *arg)
{
	struct http_server *server = arg;

	(void)what;
	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
		socklen_t length = sizeof(address);
		const int fd = accept(listening, (struct sockaddr *)&address, &length);

		if (fd == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd == -1) {
			/* No descriptors, most likely: to try again at once would keep the loop busy. */
			event_del(server->listener);
			evtimer_add(server->window, &recover);
			return;
		}
		server_begin(server, fd, (const struct sockaddr *)&address);
		if (server->accepts++ == 0)
			evtimer_add(server->window, &window);
		if (server->accepts == server->policy.accepts) {
			event_del(server->listener);
			return;
		}
	}
}

static void
server_on_window(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	server->accepts = 0;
	event_add(server->listener, NULL);
}

static int
server_allocate(struct http_server *server)
{
	const size_t count = server->policy.places.count;

	server->clients = calloc(count, sizeof(*server->clients));
	server->places = calloc(count, sizeof(*server->places));
	server->requests = calloc(count, server->policy.request);
	server->window = evtimer_new(server->base, server_on_window, server);
	server->worker = evtimer_new(server->base, server_on_worker, server);
	server->listener = event_new(server->base, server->fd, EV_READ | EV_PERSIST, server_on_acceptable, server);
	if (server->clients == NULL || server->places == NULL || server->requests == NULL || server->window == NULL ||
	    server->worker == NULL || server->listener == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		server->clients[i] = (struct client){ .server = server, .place = &server->places[i],
		    .request = server->requests + i * server->policy.request };
	return 0;
}

struct http_server *
http_server_open(struct event_base *base, int fd, const struct http_policy *policy, const struct http_calls *calls,
    void *context)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (server == NULL) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	*server = (struct http_server){ .base = base, .policy = *policy, .calls = calls, .context = context, .fd = fd };
	errno = ENOMEM;
	if (server_allocate(server) == -1 || listen(fd, BACKLOG) == -1 || event_add(server->listener, NULL) == -1) {
		const int number = errno;

		http_server_close(server);
		errno = number;
		return NULL;
	}
	return server;
}

void
http_server_close(struct http_server *server)
{
	if (server == NULL)
		return;
	for (size_t i = 0; server->clients != NULL && i < server->policy.places.count; i++)
		if (server->clients[i].place != NULL && server->places[i].state != HTTP_PLACE_FREE)
			server_drop(&server->clients[i]);
	if (server->listener != NULL)
		event_free(server->listener);
	if (server->worker != NULL)
		event_free(server->worker);
	if (server->window != NULL)
		event_free(server->window);
	close(server->fd);
	free(server->clients);
	free(server->places);
	free(server->requests);
	free(server);
}
