/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/web.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "compat/entropy.h"
#include "http/message.h"
#include "http/server.h"
#include "web/metrics.h"

#define SOURCE6 8 /* bytes of an IPv6 address that are its network: one host has many addresses in it */

#define POLICY_NONE "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
/* Only the page has anything to run or to draw. */
#define POLICY_PAGE "Content-Security-Policy: default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; " \
	"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"

struct web {
	char *names;
	web_answer *answer;
	void *context;
	struct http_server *server;
};

/* --- the socket --- */

static socklen_t
web_fill_address(const struct addr *addr, uint16_t port, struct sockaddr_storage *storage)
{
	struct sockaddr_in *four = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (addr->family == ADDR_IPV4) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, addr->bytes, sizeof(four->sin_addr));
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, addr->bytes, sizeof(six->sin6_addr));
	return sizeof(*six);
}

/* Alike everywhere: a restart finds the port free, and [::] does not take IPv4's, which OpenBSD never lets it. */
static int
web_set_options(int fd, int family)
{
	const int on = 1;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return -1;
	return family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) : 0;
}

static const char *
web_hint(int number)
{
	switch (number) {
	case EADDRINUSE:
		return ": another program uses that port; find it with `ss -ltnp` on Linux, `sockstat -l` or `fstat` "
		    "elsewhere";
	case EADDRNOTAVAIL:
		return ": no interface of this host has that address";
	case EACCES:
		return ": ports below 1024 need root, or under systemd CAP_NET_BIND_SERVICE among its "
		    "AmbientCapabilities";
	default:
		return "";
	}
}


/* A bound socket, nonblocking; or -1 with errno. */
static int
web_bind(const struct addr *addr, uint16_t port)
{
	struct sockaddr_storage storage;
	const socklen_t length = web_fill_address(addr, port, &storage);
	int fd = socket(storage.ss_family, SOCK_STREAM, 0), number;

	if (fd != -1 && web_set_options(fd, storage.ss_family) == 0 &&
	    bind(fd, (const struct sockaddr *)&storage, length) == 0)
		return fd;
	number = errno;
	if (fd != -1)
		close(fd);
	errno = number;
	return -1;
}

/* --- requests --- */

/* Clients of the director itself are privileged, and so is a proxy there, whose clients have one source. */
static void
web_peer(void *context UNUSED, int fd UNUSED, const struct sockaddr *address, struct http_peer *peer)
{
	const struct addr addr = addr_from_sockaddr(address);

	peer->privileged = addr_is_loopback(&addr);
	memcpy(peer->source, addr.bytes, addr.family == ADDR_IPV6 ? SOURCE6 : 4);
}

static unsigned
web_read_request(void *context, int fd, const char *head, size_t length, void *parsed, const char **why)
{
	const struct web *web = context;
	const struct web_request *request = parsed;
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	struct addr local;
	const unsigned status = web_parse(head, length, parsed, why);

	if (!request->has_host || (status != 0 && status != 404))
		return status;
	if (getsockname(fd, (struct sockaddr *)&address, &size) == -1)
		return http_refuse(500, "the system does not say which address this is", why);
	local = addr_from_sockaddr((const struct sockaddr *)&address);
	if (!web_host_is_known(request->host, &local, web->names))
		return http_refuse(421, "this is not the director's name: use its address, or add the name to "
		    "`http-host` in "
		    "dsrd.conf", why);
	return status;
}

/* A copy of the page with a nonce of this answer's own. */
static unsigned
web_write_page(FILE *out, struct http_reply *reply)
{
	unsigned char random[WEB_NONCE_LENGTH / 2];
	char nonce[WEB_NONCE_LENGTH + 1];
	const char *rest = web_page, *at;

	if (getentropy(random, sizeof(random)) == -1)
		return 500;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(nonce + 2 * i, 3, "%02x", random[i]);
	while ((at = strstr(rest, WEB_NONCE)) != NULL) {
		fwrite(rest, 1, (size_t)(at - rest), out);
		fputs(nonce, out);
		rest = at + WEB_NONCE_LENGTH;
	}
	fputs(rest, out);
	(void)snprintf(reply->fields, sizeof(reply->fields), POLICY_PAGE, nonce, nonce);
	return 200;
}

static const char *
web_type(const struct web_request *request)
{
	switch (request->resource) {
	case WEB_METRICS:
		return request->openmetrics ? METRICS_TYPE_OPENMETRICS : METRICS_TYPE_TEXT;
	case WEB_STATUS:
	case WEB_EVENTS:
		return "application/json";
	case WEB_PAGE:
		return "text/html; charset=utf-8";
	case WEB_HEALTH:
		break;
	}
	return "text/plain; charset=utf-8";
}

static enum http_step
web_handle(void *context, const struct http_call *call, FILE *out, struct http_reply *reply)
{
	const struct web *web = context;
	const struct web_request *request = call->request;

	(void)snprintf(reply->fields, sizeof(reply->fields), "%s", POLICY_NONE);
	if (request->resource == WEB_PAGE)
		reply->status = web_write_page(out, reply);
	else
		reply->status = web->answer(web->context, request, call->number, out);
	if (reply->status == WEB_MORE)
		return HTTP_MORE;
	if (reply->status != 500)
		reply->type = web_type(request);
	return HTTP_DONE;
}

struct web *
web_open(struct event_base *base, const struct web_settings *settings, web_answer *answer, void *context,
    char error[WEB_ERROR])
{
	static const struct http_calls handlers = { web_peer, web_read_request, web_handle, NULL };
	const struct http_policy policy = {
		.places = { WEB_CONNECTIONS, WEB_RESERVED, WEB_SHARE },
		.head = WEB_HEAD, .request = sizeof(struct web_request), .accepts = WEB_ACCEPTS,
		.patience = settings->patience, .rest = WEB_REST, .half_close = true, .allow = "GET, HEAD",
		.fields = "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
		    "Cross-Origin-Resource-Policy: same-origin\r\n",
		.refusal = POLICY_NONE,
	};
	struct web *web = calloc(1, sizeof(*web));
	char text[ADDR_TEXT];
	int fd, number = ENOMEM;

	(void)snprintf(error, WEB_ERROR, "out of memory");
	if (web == NULL)
		goto failed;
	*web = (struct web){ .names = strdup(settings->names), .answer = answer, .context = context };
	if (web->names == NULL)
		goto failed;
	fd = web_bind(&settings->addr, settings->port);
	if (fd != -1)
		web->server = http_server_open(base, fd, &policy, &handlers, web);
	if (web->server != NULL)
		return web;
	number = errno;
	(void)snprintf(error, WEB_ERROR, "cannot listen on %s port %u: %s%s", addr_format(&settings->addr, text),
	    settings->port, strerror(number), web_hint(number));
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
	http_server_close(web->server);
	free(web->names);
	free(web);
}
