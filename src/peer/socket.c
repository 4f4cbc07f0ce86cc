/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "peer/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/duration.h"
#include "sync/wire.h"

#define IN_BUFFER (4 * WIRE_FRAME)
#define OUT_BUFFER (8 * WIRE_FRAME)
/* What the system may hold besides: more would only be older when it arrives. */
#define SYSTEM_BUFFER (256 * 1024)
#define BACKLOG 16

struct peer_socket {
	int fd;
	struct addr addr;
	bool connecting;
	int error;          /* errno */
	bool ended;         /* the other side has closed it */
	struct event *readable;
	struct event *writable;
	struct event *timer;
	void (*turn)(void *context);
	void *context;
	size_t in_first;    /* of `in`: what has come */
	size_t in_end;
	size_t out_first;   /* of `out`: what waits */
	size_t out_end;
	uint64_t taken;     /* when the system last took some of it, or it began to wait */
	uint64_t sent;
	uint64_t received;
	uint8_t in[IN_BUFFER];
	uint8_t out[OUT_BUFFER];
};

static int
peer_socket_family(const struct addr *addr)
{
	return addr->family == ADDR_IPV4 ? AF_INET : AF_INET6;
}

/* Closes the descriptor, and keeps errno. */
static int
peer_socket_give_up(int fd)
{
	const int error = errno;

	if (fd != -1)
		(void)close(fd);
	errno = error;
	return -1;
}

static int
peer_socket_open(const struct addr *addr)
{
	const int fd = socket(peer_socket_family(addr), SOCK_STREAM, 0);

	if (fd == -1 || evutil_make_socket_nonblocking(fd) == -1 || evutil_make_socket_closeonexec(fd) == -1)
		return peer_socket_give_up(fd);
	return fd;
}

int
peer_socket_listen(const struct addr *addr, uint16_t port)
{
	struct sockaddr_storage storage;
	const socklen_t length = addr_to_sockaddr(&storage, addr, port);
	const int fd = peer_socket_open(addr), yes = 1;

	if (fd == -1)
		return -1;
	/* A restart finds the port free. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1 ||
	    bind(fd, (const struct sockaddr *)&storage, length) == -1 || listen(fd, BACKLOG) == -1)
		return peer_socket_give_up(fd);
	return fd;
}

int
peer_socket_connect(const struct addr *addr, uint16_t port, const struct addr *own)
{
	struct sockaddr_storage storage;
	socklen_t length;
	const int fd = peer_socket_open(addr);

	if (fd == -1)
		return -1;
	if (own->family == addr->family) {
		length = addr_to_sockaddr(&storage, own, 0);
		if (bind(fd, (const struct sockaddr *)&storage, length) == -1)
			return peer_socket_give_up(fd);
	}
	length = addr_to_sockaddr(&storage, addr, port);
	if (connect(fd, (const struct sockaddr *)&storage, length) == -1 && errno != EINPROGRESS)
		return peer_socket_give_up(fd);
	return fd;
}

int
peer_socket_accept(int listener, struct addr *from)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	const int fd = accept(listener, (struct sockaddr *)&storage, &length);

	if (fd == -1 || evutil_make_socket_nonblocking(fd) == -1 || evutil_make_socket_closeonexec(fd) == -1)
		return peer_socket_give_up(fd);
	*from = addr_from_sockaddr((const struct sockaddr *)&storage);
	return fd;
}

static void
peer_socket_on_ready(evutil_socket_t fd UNUSED, short what, void *context)
{
	struct peer_socket *peer = context;
	socklen_t length = sizeof(peer->error);

	if (peer->connecting && (what & EV_WRITE) != 0) {
		peer->connecting = false;
		if (getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &peer->error, &length) == -1)
			peer->error = errno;
	}
	peer->turn(peer->context);
}

static void
peer_socket_tune(int fd)
{
	const int yes = 1, size = SYSTEM_BUFFER;

	/* All of these help, and nothing depends on them. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

struct peer_socket *
peer_socket_new(struct event_base *base, int fd, const struct addr *addr, bool connecting, void (*turn)(void *context),
    void *context)
{
	struct peer_socket *peer = calloc(1, sizeof(*peer));

	if (peer == NULL) {
		(void)close(fd);
		return NULL;
	}
	peer->fd = fd;
	peer->addr = *addr;
	peer->connecting = connecting;
	peer->turn = turn;
	peer->context = context;
	peer_socket_tune(fd);
	peer->readable = event_new(base, fd, EV_READ | EV_PERSIST, peer_socket_on_ready, peer);
	peer->writable = event_new(base, fd, EV_WRITE, peer_socket_on_ready, peer);
	peer->timer = evtimer_new(base, peer_socket_on_ready, peer);
	if (peer->readable != NULL && peer->writable != NULL && peer->timer != NULL &&
	    event_add(peer->readable, NULL) == 0 && (!connecting || event_add(peer->writable, NULL) == 0)) {
		peer_socket_wake(peer, SECONDS(1));
		return peer;
	}
	peer_socket_close(peer);
	return NULL;
}

void
peer_socket_close(struct peer_socket *peer)
{
	if (peer == NULL)
		return;
	if (peer->readable != NULL)
		event_free(peer->readable);
	if (peer->writable != NULL)
		event_free(peer->writable);
	if (peer->timer != NULL)
		event_free(peer->timer);
	(void)close(peer->fd);
	free(peer);
}

const struct addr *
peer_socket_address(const struct peer_socket *peer)
{
	return &peer->addr;
}

bool
peer_socket_is_connecting(const struct peer_socket *peer)
{
	return peer->connecting;
}

static bool
peer_socket_is_later(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* Makes room at the end by moving what is there to the beginning. */
static void
peer_socket_compact(uint8_t *buffer, size_t *first, size_t *end)
{
	if (*first > 0)
		memmove(buffer, buffer + *first, *end - *first);
	*end -= *first;
	*first = 0;
}

const uint8_t *
peer_socket_received(struct peer_socket *peer, size_t *length)
{
	ssize_t got;

	if (peer->in_end - peer->in_first < WIRE_FRAME && peer->error == 0 && !peer->ended && !peer->connecting) {
		peer_socket_compact(peer->in, &peer->in_first, &peer->in_end);
		got = recv(peer->fd, peer->in + peer->in_end, sizeof(peer->in) - peer->in_end, 0);
		if (got > 0) {
			peer->in_end += (size_t)got;
			peer->received += (uint64_t)got;
		} else if (got == 0) {
			peer->ended = true;
		} else if (!peer_socket_is_later(errno)) {
			peer->error = errno;
		}
	}
	*length = peer->in_end - peer->in_first;
	return peer->in + peer->in_first;
}

void
peer_socket_done(struct peer_socket *peer, size_t used)
{
	peer->in_first += used;
}

uint8_t *
peer_socket_room(struct peer_socket *peer, size_t length)
{
	if (sizeof(peer->out) - peer->out_end < length)
		peer_socket_compact(peer->out, &peer->out_first, &peer->out_end);
	return sizeof(peer->out) - peer->out_end < length ? NULL : peer->out + peer->out_end;
}

void
peer_socket_wrote(struct peer_socket *peer, size_t length)
{
	peer->out_end += length;
}

void
peer_socket_flush(struct peer_socket *peer, uint64_t now)
{
	ssize_t sent;

	if (peer->out_first == peer->out_end)
		peer->taken = now;
	if (peer->out_first == peer->out_end || peer->error != 0 || peer->connecting)
		return;
	sent = send(peer->fd, peer->out + peer->out_first, peer->out_end - peer->out_first, 0);
	if (sent > 0) {
		peer->out_first += (size_t)sent;
		peer->sent += (uint64_t)sent;
		peer->taken = now;
	} else if (sent == -1 && !peer_socket_is_later(errno)) {
		peer->error = errno;
	}
	if (peer->out_first < peer->out_end)
		(void)event_add(peer->writable, NULL);
}

bool
peer_socket_is_stuck(const struct peer_socket *peer, uint64_t now, uint64_t patience)
{
	return peer->out_first < peer->out_end && now >= peer->taken + patience;
}

const char *
peer_socket_error(const struct peer_socket *peer)
{
	if (peer->error != 0)
		return strerror(peer->error);
	return peer->ended ? "it closed the connection" : NULL;
}

void
peer_socket_wake(struct peer_socket *peer, uint64_t delay)
{
	const struct timeval wait = { (time_t)(delay / SECONDS(1)), (suseconds_t)(delay % SECONDS(1)) };

	(void)evtimer_add(peer->timer, &wait);
}

uint64_t
peer_socket_bytes_sent(const struct peer_socket *peer)
{
	return peer->sent;
}

uint64_t
peer_socket_bytes_received(const struct peer_socket *peer)
{
	return peer->received;
}
