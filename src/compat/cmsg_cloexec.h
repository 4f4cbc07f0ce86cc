/* SPDX-License-Identifier: ISC */
/* macOS cannot mark descriptors that arrive in a message; nothing is started there that would inherit them. */
#ifndef COMPAT_CMSG_CLOEXEC_H
#define COMPAT_CMSG_CLOEXEC_H

#include <sys/socket.h>

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

#endif
