/* SPDX-License-Identifier: ISC */
/*
 * A connection's socket with buffers of a fixed size: nonblocking, in an event loop. `turn` is called when bytes have
 * come, when there is room again for bytes that wait, when the connection stands, and after peer_socket_wake().
 */
#ifndef PEER_SOCKET_H
#define PEER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct event_base;
struct peer_socket;

/* Descriptors, nonblocking and close-on-exec; -1 with errno. */
NODISCARD int peer_socket_listen(const struct addr *addr, uint16_t port);
/* Leaves from `own`, if that is of the same family. */
NODISCARD int peer_socket_connect(const struct addr *addr, uint16_t port, const struct addr *own);
NODISCARD int peer_socket_accept(int listener, struct addr *from);

/* Takes the descriptor, also when it fails: NULL, memory is out. `connecting`: connect() was started. */
NODISCARD struct peer_socket *peer_socket_new(struct event_base *base, int fd, const struct addr *addr, bool connecting,
    void (*turn)(void *context), void *context);
void peer_socket_close(struct peer_socket *socket);
const struct addr *peer_socket_address(const struct peer_socket *socket);
bool peer_socket_is_connecting(const struct peer_socket *socket);
/* What has come, read as far as there is room; and that `used` bytes of it are done with. */
const uint8_t *peer_socket_received(struct peer_socket *socket, size_t *length);
void peer_socket_done(struct peer_socket *socket, size_t used);
/* Room for `length` bytes to send, or NULL; and that so many were written there. */
uint8_t *peer_socket_room(struct peer_socket *socket, size_t length);
void peer_socket_wrote(struct peer_socket *socket, size_t length);
/* Sends what the system takes. */
void peer_socket_flush(struct peer_socket *socket, uint64_t now);
/* Bytes have waited for so long, and none was taken. */
bool peer_socket_is_stuck(const struct peer_socket *socket, uint64_t now, uint64_t patience);
/* Why the connection has ended; NULL: it has not. */
const char *peer_socket_error(const struct peer_socket *socket);
/* Call `turn` in `delay` microseconds; what was said before no longer counts. */
void peer_socket_wake(struct peer_socket *socket, uint64_t delay);
uint64_t peer_socket_bytes_sent(const struct peer_socket *socket);
uint64_t peer_socket_bytes_received(const struct peer_socket *socket);

#endif
