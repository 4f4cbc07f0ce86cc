/* SPDX-License-Identifier: ISC */
/*
 * Sockets as all checks want them: connected to the server, nonblocking, not for children; and what their errors mean.
 */
#ifndef CHECK_SOCKET_H
#define CHECK_SOCKET_H

#include "base/addr.h"
#include "base/attr.h"
#include "model/health.h"

/* What connect(), recv() and SO_ERROR mean for a server's health: 0 is success. */
enum health_reason check_reason_of(int error);
/*
 * A socket of the address's family, and connect() begun or done. -1 with errno set. A descriptor with errno
 * EINPROGRESS: wait until it is writable, then ask socket_error(); with errno 0 it is connected.
 */
NODISCARD int socket_connect(const struct addr *addr, uint16_t port, int type, int protocol);
/* SO_ERROR, or the errno of asking for it. */
int socket_error(int fd);

#endif
