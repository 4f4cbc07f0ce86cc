/* SPDX-License-Identifier: ISC */
/* The listening Unix socket of ctl/control.h. */
#ifndef CTL_CONTROL_SOCKET_H
#define CTL_CONTROL_SOCKET_H

#include "base/attr.h"
#include "ctl/control.h"

/* A bound socket, nonblocking, to listen on; or -1 with errno and a reason. */
NODISCARD int control_socket(const char *path, const char *group, char error[CONTROL_ERROR]);

#endif
