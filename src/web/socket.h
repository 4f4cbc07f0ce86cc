/* SPDX-License-Identifier: ISC */
/* The listening TCP socket of web/web.h. */
#ifndef WEB_SOCKET_H
#define WEB_SOCKET_H

#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "web/web.h"

/* A socket that listens, nonblocking; or -1 with errno and a reason. */
NODISCARD int web_socket(const struct addr *addr, uint16_t port, char error[WEB_ERROR]);

#endif
