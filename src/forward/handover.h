/* SPDX-License-Identifier: ISC */
/*
 * The state that one process of the director leaves to the next, so that a restart loses no connection: names for the
 * numbers in flow records (flow/conn_record.h), administrative changes, the servers that were up, and MAC addresses.
 *
 * It is text, a line for each VIP, service and server, of words "key=value" in any order:
 *
 *     vip number=0 address=192.0.2.10
 *     service number=1 name=web
 *     server slot=0 generation=1 service=web name=web1 address=192.0.2.11 interface=eth0 mac=02:00:00:00:00:0b
 *         health=up percent=100 since=81000000 admin=drained admin-by=0 admin-at=1790000000
 *     local service=1 vip=0 slot=0 generation=1
 *
 * Unknown lines and words are skipped, so that another version of dsrd can add some. Servers are matched by service,
 * name and address, VIPs by address: slots and numbers of the two processes need not agree.
 *
 * Pure: storing and trusting the text is the task of daemon/state.c. No text makes this code crash or loop.
 */
#ifndef FORWARD_HANDOVER_H
#define FORWARD_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "flow/conn_record.h"
#include "forward/forwarder.h"
#include "model/model.h"

struct handover;

/* What became of it. */
struct handover_counts {
	size_t servers;    /* found again */
	size_t up;         /* those of them that are up immediately, to be verified */
	size_t admin;    /* and those that an operator had changed */
	size_t unreadable; /* lines */
	uint32_t flows;    /* taken over */
	uint32_t clients;  /* persistence entries, restored in the same way */
	uint32_t expired;  /* flows and clients that have expired */
	uint32_t unknown;  /* whose VIP, port or server no longer exists */
	uint32_t refused;  /* for which there was no room, or that were listed twice */
};

/* The state of the model. `ifaces` are those that servers' `iface` counts. 0, or -1 when `out` fails. */
NODISCARD int handover_write(FILE *out, const struct model *model, const struct iface *ifaces, size_t iface_count);

/*
 * Reads `text`, `length` bytes and a terminating 0, and modifies it, into a model and a forwarder that have just got
 * their settings. Without `recent` its health and MAC addresses are too old and ignored. The model has changed then:
 * compile a new table. Returns NULL when out of memory.
 */
NODISCARD struct handover *handover_read(char *text, size_t length, struct model *model, struct forwarder *forwarder,
    bool recent, uint64_t now);
void handover_free(struct handover *handover);

/* To be called with the table that was compiled since, which must stay until the last flow is taken over. */
void handover_begin(struct handover *handover);
/* A flow, or a client of persistence: looks for its server here and takes it over, or counts why not. */
void handover_flow(struct handover *handover, const struct conn_saved *saved, uint64_t now);
void handover_client(struct handover *handover, const struct conn_saved *saved, uint64_t now);
const struct handover_counts *handover_counts(const struct handover *handover);

#endif
