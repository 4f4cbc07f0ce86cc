/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/web.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/duration.h"
#include "compat/entropy.h"
#include "http/message.h"
#include "web/metrics.h"
#include "web/page.h"
#include "web/socket.h"

#define ACCEPTS_A_TURN 4                             /* then frames have their turn */
static const struct timeval window = { 0, 100000 };  /* of WEB_ACCEPTS */
static const struct timeval recover = { 1, 0 };      /* no accept() after one that failed */
#define REST_MOST SECONDS(1)

/* A connection: it sends one request, gets the answer, and is closed. */
struct client {
	struct web *web; /* NULL: the place is free */
	struct bufferevent *bufev;
	struct event *timer;
	struct web_request request;
	FILE *out;       /* while the answer is being written ... */
	char *body;      /* ... to here */
	size_t length;
	size_t parts;
	uint64_t turn;   /* when it came, and then when its request was complete: both count up */
	bool asked;      /* the request is complete */
	bool answered;
};

struct web {
	struct event_base *base;
	int fd;
	struct event *listener;
	struct event *window;  /* ends the present WEB_ACCEPTS */
	struct event *server;  /* answers the next client */
	struct timeval patience;
	web_answer *answer;
	void *context;
	unsigned accepts;      /* in the present window */
	uint64_t turns;
	uint64_t rested;       /* when the next answer may be given */
	struct client clients[WEB_CONNECTIONS];
};

static void
web_drop(struct client *client)
{
	if (client->out != NULL)
		fclose(client->out);
	free(client->body);
	if (client->timer != NULL)
		event_free(client->timer);
	if (client->bufev != NULL)
		bufferevent_free(client->bufev);
	memset(client, 0, sizeof(*client));
}

static void
web_free_body(const void *data UNUSED, size_t length UNUSED, void *body)
{
	free(body);
}

/* --- answers --- */

/* Only the page has anything to run or to draw. */
static void
add_policy(struct evbuffer *output, const char *nonce)
{
	if (nonce == NULL)
		evbuffer_add_printf(output, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
	else
		evbuffer_add_printf(output, "Content-Security-Policy: default-src 'none'; script-src 'nonce-%s'; style-src "
		    "'nonce-%s'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
		    "frame-ancestors 'none'\r\n", nonce, nonce);
}

/* Takes `body`. */
static void
web_send_answer(struct client *client, unsigned status, const char *type, char *body, size_t length, const char *nonce)
{
	struct evbuffer *output = bufferevent_get_output(client->bufev);

	client->answered = true;
	evbuffer_add_printf(output, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n%s", status, http_status_text(status), type, length,
	    status == 405 ? "Allow: GET, HEAD\r\n" : "");
	add_policy(output, nonce);
	if (evbuffer_add_printf(output, "Connection: close\r\n\r\n") < 0) {
		free(body);
		web_drop(client);
		return;
	}
	if (client->request.head_only || length == 0 ||
	    evbuffer_add_reference(output, body, length, web_free_body, body) == -1)
		free(body);
	bufferevent_enable(client->bufev, EV_WRITE);
}

static void
web_send_refusal(struct client *client, unsigned status, const char *why)
{
	const size_t length = strlen(why) + 1;
	char *body = malloc(length + 1);

	if (body == NULL) {
		web_drop(client);
		return;
	}
	snprintf(body, length + 1, "%s\n", why);
	web_send_answer(client, status, "text/plain; charset=utf-8", body, length, NULL);
}

/* A copy of the page with a nonce of this answer's own. */
static void
send_page(struct client *client)
{
	unsigned char random[WEB_NONCE_LENGTH / 2];
	char nonce[WEB_NONCE_LENGTH + 1];
	char *body = malloc(web_page_length + 1);

	if (body == NULL || getentropy(random, sizeof(random)) == -1) {
		free(body);
		web_send_refusal(client, 500, "out of memory or of random numbers");
		return;
	}
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(nonce + 2 * i, 3, "%02x", random[i]);
	memcpy(body, web_page, web_page_length);
	body[web_page_length] = '\0';
	for (char *at = body; (at = strstr(at, WEB_NONCE)) != NULL;)
		memcpy(at, nonce, WEB_NONCE_LENGTH);
	web_send_answer(client, 200, "text/html; charset=utf-8", body, web_page_length, nonce);
}

static const char *
type_of(const struct web_request *request)
{
	switch (request->resource) {
	case WEB_METRICS:
		return request->openmetrics ? METRICS_TYPE_OPENMETRICS : METRICS_TYPE_TEXT;
	case WEB_STATUS:
	case WEB_EVENTS:
		return "application/json";
	case WEB_PAGE:
	case WEB_HEALTH:
		break;
	}
	return "text/plain; charset=utf-8";
}

/* One part of it. */
static void
answer_part(struct client *client)
{
	const struct web *web = client->web;
	unsigned status;
	char *body;

	if (client->request.resource == WEB_PAGE) {
		send_page(client);
		return;
	}
	if (client->out == NULL)
		client->out = open_memstream(&client->body, &client->length);
	if (client->out == NULL) {
		web_send_refusal(client, 500, "out of memory");
		return;
	}
	status = web->answer(web->context, &client->request, client->parts++, client->out);
	if (status == WEB_MORE)
		return;
	if (fclose(client->out) != 0)
		status = 500;
	client->out = NULL;
	body = client->body;
	client->body = NULL;
	if (status == 500) {
		free(body);
		web_send_refusal(client, 500, "out of memory");
	} else {
		web_send_answer(client, status, type_of(&client->request), body, client->length, NULL);
	}
}

/* --- whose turn it is --- */

/* Of the clients with a complete request, or without, the one that waits longest. NULL: none. */
static struct client *
find_oldest(struct web *web, bool asked)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < WEB_CONNECTIONS; i++) {
		struct client *client = &web->clients[i];

		if (client->web != NULL && client->asked == asked && !client->answered &&
		    (oldest == NULL || client->turn < oldest->turn))
			oldest = client;
	}
	return oldest;
}

static void
web_schedule(struct web *web)
{
	const uint64_t time = clock_us(), delay = web->rested > time ? web->rested - time : 0;
	const struct timeval tv = { (time_t)(delay / SECONDS(1)), (suseconds_t)(delay % SECONDS(1)) };

	if (find_oldest(web, true) != NULL && !evtimer_pending(web->server, NULL))
		evtimer_add(web->server, &tv);
}

/* One answer, or a part of a long one, then a rest in which frames are forwarded. */
static void
on_serve(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct web *web = arg;
	struct client *client = find_oldest(web, true);
	const uint64_t begin = clock_us();
	uint64_t rest;

	if (client == NULL)
		return;
	answer_part(client);
	rest = (clock_us() - begin) * WEB_REST;
	web->rested = clock_us() + (rest > REST_MOST ? REST_MOST : rest);
	web_schedule(web);
}

/* --- connections --- */

static void
web_on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	web_drop(arg);
}

static void
web_on_read(struct bufferevent *bufev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(bufev);
	const size_t length = evbuffer_get_length(input);
	const char *bytes, *why = "the request is too large";
	size_t head;
	unsigned status;

	/* What comes behind the request is not looked at, and not even read. */
	if (client->asked)
		return;
	bytes = (const char *)evbuffer_pullup(input, -1);
	head = bytes == NULL ? 0 : http_head_length(bytes, length);
	if (head == 0 && length < WEB_HEAD)
		return;
	status = head == 0 ? 413 : web_parse(bytes, head, &client->request, &why);
	evbuffer_drain(input, length);
	client->asked = true;
	client->turn = client->web->turns++;
	if (status == 0)
		web_schedule(client->web);
	else
		web_send_refusal(client, status, why);
}

static void
web_on_written(struct bufferevent *bufev UNUSED, void *arg)
{
	struct client *client = arg;

	if (client->answered)
		web_drop(client);
}

static void
web_on_end(struct bufferevent *bufev, short what, void *arg)
{
	const struct client *client = arg;

	/* The end of the request stream does not close the connection. */
	if (what == (BEV_EVENT_READING | BEV_EVENT_EOF) && client->asked)
		bufferevent_disable(bufev, EV_READ);
	else
		web_drop(arg);
}

static struct client *
web_find_place(struct web *web)
{
	struct client *silent;

	for (size_t i = 0; i < WEB_CONNECTIONS; i++)
		if (web->clients[i].web == NULL)
			return &web->clients[i];
	silent = find_oldest(web, false);
	if (silent != NULL)
		web_drop(silent);
	return silent;
}

static void
web_start(struct web *web, int fd)
{
	struct client *client = web_find_place(web);

	if (client == NULL || evutil_make_socket_nonblocking(fd) == -1 || evutil_make_socket_closeonexec(fd) == -1) {
		evutil_closesocket(fd);
		return;
	}
	client->web = web;
	client->turn = web->turns++;
	client->timer = evtimer_new(web->base, web_on_timer, client);
	client->bufev = bufferevent_socket_new(web->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->timer == NULL || client->bufev == NULL) {
		if (client->bufev == NULL)
			evutil_closesocket(fd);
		web_drop(client);
		return;
	}
	bufferevent_setcb(client->bufev, web_on_read, web_on_written, web_on_end, client);
	/* No more than a head is ever read. */
	bufferevent_setwatermark(client->bufev, EV_READ, 0, WEB_HEAD);
	if (bufferevent_enable(client->bufev, EV_READ) == -1 || event_add(client->timer, &web->patience) == -1)
		web_drop(client);
}

/* Stops accepting for a while. */
static void
pause_listening(struct web *web, const struct timeval *time)
{
	event_del(web->listener);
	evtimer_add(web->window, time);
}

static void
on_acceptable(evutil_socket_t listening, short what UNUSED, void *arg)
{
	struct web *web = arg;

	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		const int fd = accept(listening, NULL, NULL);

		if (fd == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd == -1) {
			/* No descriptors, most likely: to try again at once would keep the loop busy. */
			pause_listening(web, &recover);
			return;
		}
		web_start(web, fd);
		if (web->accepts++ == 0)
			evtimer_add(web->window, &window);
		if (web->accepts == WEB_ACCEPTS) {
			event_del(web->listener);
			return;
		}
	}
}

static void
on_window(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct web *web = arg;

	web->accepts = 0;
	event_add(web->listener, NULL);
}

struct web *
web_open(struct event_base *base, const struct addr *addr, uint16_t port, unsigned patience, web_answer *answer,
    void *context, char error[WEB_ERROR])
{
	struct web *web = calloc(1, sizeof(*web));
	int number = ENOMEM;

	snprintf(error, WEB_ERROR, "out of memory");
	if (web == NULL)
		goto failed;
	*web = (struct web){ .base = base, .fd = -1, .answer = answer, .context = context,
	    .patience = { patience / 1000, patience % 1000 * 1000 } };
	web->fd = web_socket(addr, port, error);
	number = web->fd == -1 ? errno : ENOMEM;
	if (web->fd == -1)
		goto failed;
	web->window = evtimer_new(base, on_window, web);
	web->server = evtimer_new(base, on_serve, web);
	web->listener = event_new(base, web->fd, EV_READ | EV_PERSIST, on_acceptable, web);
	if (web->window != NULL && web->server != NULL && web->listener != NULL && event_add(web->listener, NULL) == 0)
		return web;
failed:
	web_close(web);
	errno = number;
	return NULL;
}

void
web_close(struct web *web)
{
	if (web == NULL)
		return;
	for (size_t i = 0; i < WEB_CONNECTIONS; i++)
		if (web->clients[i].web != NULL)
			web_drop(&web->clients[i]);
	if (web->listener != NULL)
		event_free(web->listener);
	if (web->server != NULL)
		event_free(web->server);
	if (web->window != NULL)
		event_free(web->window);
	if (web->fd != -1)
		close(web->fd);
	free(web);
}
