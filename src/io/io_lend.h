/* SPDX-License-Identifier: ISC */
/*
 * libpcap and libnet open their packet sockets themselves, and cannot be given one. A process that may not open any
 * lends them one, which a process with that right has opened and bound: io_lend_linux.c is socket(2) and bind(2) as
 * they find them. Elsewhere (io_lend_none.c) descriptors cannot be lent.
 */
#ifndef IO_IO_LEND_H
#define IO_IO_LEND_H

#include <stdbool.h>

/* Is there such a thing here? */
bool io_can_lend(void);
/* The next packet socket that this process opens is `fd`, which is the callee's now. */
void io_lend(int fd);
/* Closes what was not taken. */
void io_lend_end(void);

#endif
