/* SPDX-License-Identifier: ISC */
/*
 * What the director asks of the privileged process. Requests have one size, no pointers and no variable parts; what an
 * operation does not use is zero. privsep_message_read() believes nothing of one.
 */
#ifndef DAEMON_PRIVSEP_MESSAGE_H
#define DAEMON_PRIVSEP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"

enum privsep_operation {
	PRIVSEP_CAPTURE = 1,      /* a packet socket of `iface` to capture with; answer: the descriptor */
	PRIVSEP_SENDER,           /* one to send with, which receives nothing */
	PRIVSEP_OFFLOADS_OFF,     /* receive offloads; `value` of the answer: those that were turned off */
	PRIVSEP_OFFLOADS_RESTORE, /* `value` */
	/* the program of the descriptor at the place `value`; answer: a link, or none for clsact */
	PRIVSEP_ATTACH,
	PRIVSEP_DETACH,           /* what was attached there without a link */
	PRIVSEP_PING,             /* a raw ICMP socket, connected to `addr` */
	PRIVSEP_LOCK,             /* of `iface`; the holder of the answer's descriptor has it */
	PRIVSEP_UNLOCK,           /* removes its file; then the descriptor may be closed */
	PRIVSEP_SYNC_KEY,         /* sync-key-file, to be read */
	PRIVSEP_PEER_LISTEN,      /* a socket that listens at peer-listen */
	PRIVSEP_LAUNCHER,         /* a new one; `value` of the answer: its process */
	/* a new one; the one before is ended. `value`: its process; `reason`: how the one before had ended, or nothing */
	PRIVSEP_CHECKER,
	PRIVSEP_ROUTES /* a new route holder. `value`: its process */
};

struct privsep_request {
	uint32_t operation;
	uint32_t value;
	char iface[IFACE_NAME];
	struct {
		uint8_t family; /* of enum addr_family */
		uint8_t bytes[16];
	} addr;
	uint8_t zero[3];
};

#define PRIVSEP_REASON 256

struct privsep_answer {
	int32_t error; /* 0: done */
	uint32_t value;
	char reason[PRIVSEP_REASON];
};

/* 0 and `*request`, or -1: `length` bytes with so many descriptors are no request. */
NODISCARD int privsep_message_read(const void *bytes, size_t length, size_t descriptors,
    struct privsep_request *request);

#endif
