/* SPDX-License-Identifier: ISC */
/*
 * Sockets for checks: connected to the server, nonblocking, close-on-exec; and the meaning of their errors.
 */
#ifndef CHECK_SOCKET_H
#define CHECK_SOCKET_H

#include "base/addr.h"
#include "base/attr.h"
#include "model/health.h"

/* What connect(), recv() and SO_ERROR mean for a server's health: 0 is success. */
enum health_reason check_reason_of(int error);
/* What to add to HEALTH_REASON_LOCAL: the host's error, and where there is one the remedy. NULL for other reasons. */
const char *check_error_text(int error);
/*
 * Creates a socket of the address's family and starts connect(). Returns -1 with errno set, or a descriptor: with errno
 * EINPROGRESS, wait until it is writable, then call socket_error(); with errno 0 it is connected.
 */
NODISCARD int socket_connect(const struct addr *addr, uint16_t port, int type, int protocol);
/* SO_ERROR, or the errno of getsockopt(). */
int socket_error(int fd);

#endif
