/* SPDX-License-Identifier: ISC */
/*
 * Frames that are larger than a slot of the capture's ring. On Linux every slot of the ring that libpcap reads has the
 * same size, so slots for super-frames would be 256 in 16 MB, and slots for what the wire allows are thousands. Here
 * the ring has small slots; of a larger frame the kernel also keeps the whole in the socket's queue
 * (PACKET_COPY_THRESH), in the same order, and it is fetched from there. configure picks io_whole_linux.c, or
 * io_whole_none.c, where captures have no slots.
 */
#ifndef IO_IO_WHOLE_H
#define IO_IO_WHOLE_H

#include <stdbool.h>

#include "proto/frame.h"

struct whole;

/* How much of a frame the capture should hold. */
int whole_snaplen(const char *iface);
/* For libpcap's descriptor. NULL where not supported: cut frames stay cut. */
struct whole *whole_open(int descriptor);
void whole_close(struct whole *whole);

/* Puts the whole frame in the place of one that was cut, until the next call. False: it stays as it is. */
bool whole_fetch(struct whole *whole, struct frame *frame);
/* After each dispatch, with the number of frames: unread copies must not keep the descriptor readable. */
void whole_settle(struct whole *whole, int count);
/* The socket error that a fetch consumed, or 0. Reading it clears it in the kernel, so libpcap will not see it. */
int whole_error(const struct whole *whole);

#endif
