/* SPDX-License-Identifier: ISC */
/* The HTTP and HTTPS checks: one GET over a connection of its own. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/util.h>

#include "check/http_answer.h"
#include "check/runner.h"
#include "check/tls.h"

#define PIECE 4096
#define BUFFER_MOST 16384 /* what libevent may read ahead */

struct http_runner {
	struct runner runner;
	struct bufferevent *stream; /* has the socket, once it is connected */
	struct authority_waiter waiter; /* for the file of certificates */
	struct http_answer answer;
};

static void
check_http_stop(void *argument)
{
	struct http_runner *runner = argument;

	if (runner->stream != NULL)
		bufferevent_free(runner->stream);
	runner->stream = NULL;
	tls_forget(&runner->waiter);
}

static void
check_http_on_answer(struct http_runner *runner)
{
	char detail[HTTP_DETAIL];

	memcpy(detail, runner->answer.detail, sizeof(detail));
	runner_finish(runner, runner->answer.reason, detail[0] == '\0' ? NULL : detail);
}

static void
check_http_failed(void *argument, enum health_reason reason, const char *trouble)
{
	struct http_runner *runner = argument;
	const char *detail = trouble;

	/* The server is not to blame. */
	if (reason == HEALTH_REASON_TIMEOUT && authority_waits(&runner->waiter)) {
		runner_finish(runner, HEALTH_REASON_LOCAL,
		    "the file system of the certificates (`ca`) does not answer");
		return;
	}
	if (reason == HEALTH_REASON_TIMEOUT && runner->stream != NULL)
		detail = runner->answer.head == 0 ? "connected, but no answer" : "the answer is not complete";
	runner_finish(runner, reason, detail);
}

/* Feeds all that came. True when that decided it. */
static bool
check_http_drain(struct http_runner *runner)
{
	struct evbuffer *input = bufferevent_get_input(runner->stream);
	uint8_t bytes[PIECE];
	int got;

	while ((got = evbuffer_remove(input, bytes, sizeof(bytes))) > 0)
		if (http_answer_feed(&runner->answer, bytes, (size_t)got))
			return true;
	return false;
}

static void
check_http_on_readable(struct bufferevent *stream UNUSED, void *argument)
{
	struct http_runner *runner = argument;

	if (check_http_drain(runner))
		check_http_on_answer(runner);
}

static void
check_http_on_event(struct bufferevent *stream, short what, void *argument)
{
	struct http_runner *runner = argument;
	const int error = EVUTIL_SOCKET_ERROR();
	char why[TLS_ERROR] = "";
	enum health_reason reason = HEALTH_REASON_NONE;

	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0) /* TLS is set up */
		return;
	if (check_http_drain(runner)) {
		check_http_on_answer(runner);
		return;
	}
	if ((what & BEV_EVENT_ERROR) != 0 && runner->runner.target->check.kind == CHECK_HTTPS)
		reason = tls_blame(stream, why);
	if (reason == HEALTH_REASON_NONE && (what & BEV_EVENT_ERROR) != 0 && error != 0)
		reason = check_reason_of(error);
	if (reason != HEALTH_REASON_NONE) {
		runner_finish(runner, reason, why[0] == '\0' ? NULL : why);
		return;
	}
	http_answer_end(&runner->answer);
	check_http_on_answer(runner);
}

/* What stands in the Host field (RFC 9110 section 7.2): the port when it is not the scheme's own. */
static void
check_http_write_host(const struct check_target *target, char *text, size_t size)
{
	const bool v6 = target->addr.family == ADDR_IPV6;
	const uint16_t usual = target->check.kind == CHECK_HTTPS ? 443 : 80;
	char addr[ADDR_TEXT], port[8] = "";

	if (target->check.host[0] != '\0') {
		(void)snprintf(text, size, "%s", target->check.host);
		return;
	}
	if (target->port != usual)
		(void)snprintf(port, sizeof(port), ":%u", target->port);
	(void)snprintf(text, size, "%s%s%s%s", v6 ? "[" : "", addr_format(&target->addr, addr), v6 ? "]" : "", port);
}

/* The name that the certificate must have. */
static void
check_http_write_name(const struct check_target *target, char *text, size_t size)
{
	const char *host = target->check.sni[0] != '\0' ? target->check.sni : target->check.host;
	char *colon;

	if (host[0] == '\0') {
		char addr[ADDR_TEXT];

		(void)snprintf(text, size, "%s", addr_format(&target->addr, addr));
		return;
	}
	(void)snprintf(text, size, "%s", host);
	/* "example.org:8443"; IPv6 addresses have more than one. */
	colon = strchr(text, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		*colon = '\0';
}

static struct tls_demand
check_http_demand(const struct check_target *target, char name[CHECK_TEXT])
{
	check_http_write_name(target, name, CHECK_TEXT);
	return (struct tls_demand){ name, !target->check.no_verify, target->check.ca };
}

/* The stream takes the socket over. NULL with a reason. */
static struct bufferevent *
check_http_open_stream(struct http_runner *runner, char error[TLS_ERROR])
{
	const struct check_target *target = runner->runner.target;
	struct tls_demand demand;
	char name[CHECK_TEXT];

	if (target->check.kind == CHECK_HTTPS) {
		demand = check_http_demand(target, name);
		return tls_open(target->tls, target->base, runner->runner.fd, &demand, error);
	}
	(void)snprintf(error, TLS_ERROR, "out of memory");
	return bufferevent_socket_new(target->base, runner->runner.fd, BEV_OPT_CLOSE_ON_FREE);
}

static void
check_http_exchange(void *argument)
{
	struct http_runner *runner = argument;
	const char *path = runner->runner.target->check.path;
	char host[CHECK_TEXT], error[TLS_ERROR];

	http_answer_begin(&runner->answer, &runner->runner.target->check);
	runner->stream = check_http_open_stream(runner, error);
	if (runner->stream == NULL) {
		runner_finish(runner, HEALTH_REASON_LOCAL, error);
		return;
	}
	runner->runner.fd = -1;
	check_http_write_host(runner->runner.target, host, sizeof(host));
	bufferevent_setcb(runner->stream, check_http_on_readable, NULL, check_http_on_event, runner);
	bufferevent_setwatermark(runner->stream, EV_READ, 0, BUFFER_MOST);
	if (evbuffer_add_printf(bufferevent_get_output(runner->stream),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: dsrd/" PACKAGE_VERSION "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
	    *path == '\0' ? "/" : path, host) < 0 || bufferevent_enable(runner->stream, EV_READ | EV_WRITE) == -1)
		runner_finish(runner, HEALTH_REASON_LOCAL, "out of memory");
}

/* Certificates first. */
static void
check_http_prepare(struct http_runner *runner)
{
	const struct check_target *target = runner->runner.target;
	struct tls_demand demand;
	char name[CHECK_TEXT];

	if (target->check.kind == CHECK_HTTPS) {
		demand = check_http_demand(target, name);
		runner->waiter.ready = check_http_exchange;
		runner->waiter.context = runner;
		if (tls_await(target->tls, &demand, &runner->waiter))
			return;
	}
	check_http_exchange(runner);
}

static void
check_http_on_connected(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct http_runner *runner = argument;
	const int error = socket_error(fd);

	event_free(runner->runner.event);
	runner->runner.event = NULL;
	if (error != 0)
		runner_finish(runner, check_reason_of(error), NULL);
	else
		check_http_prepare(runner);
}

static void
check_http_start(void *runner)
{
	if (runner_connect(runner, SOCK_STREAM))
		runner_await(runner, EV_WRITE, check_http_on_connected);
}

const struct check_type check_http = {
	.size = sizeof(struct http_runner),
	.begin = check_http_start,
	.failed = check_http_failed,
	.stop = check_http_stop,
};
