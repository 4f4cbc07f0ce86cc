/* SPDX-License-Identifier: ISC */
/*
 * What one process of the director leaves to the next, so that a restart loses no connection: names for the numbers that
 * flow records use (flow/conn_record.h), what operators changed, which servers were up, and their MAC addresses.
 *
 * It is text, a line for each VIP, service and server, of words "key=value" in any order:
 *
 *     vip number=0 address=192.0.2.10
 *     service number=1 name=web
 *     server slot=0 generation=1 service=web name=web1 address=192.0.2.11 interface=eth0 mac=02:00:00:00:00:0b
 *         health=up percent=100 since=81000000 admin=drained admin-by=0 admin-at=1790000000
 *     local service=1 vip=0 slot=0 generation=1
 *
 * Lines and words that the reader does not know are skipped, so that another version of dsrd can add some. Servers are
 * found by service, name and address, VIPs by address: slots and numbers of the two processes need not agree.
 *
 * Pure: where the text is kept, and whether it is to be believed, is daemon/state.c's affair. No text makes any of this
 * crash or loop.
 */
#ifndef FORWARD_HANDOVER_H
#define FORWARD_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "flow/conn_record.h"
#include "forward/forward.h"
#include "model/model.h"

struct handover;

/* What became of it. */
struct handover_counts {
	size_t servers;    /* found again */
	size_t up;         /* of them, those that are up at once, to be verified */
	size_t steered;    /* and those that an operator had changed */
	size_t unreadable; /* lines */
	uint32_t flows;    /* taken over */
	uint32_t clients;  /* of persistence, likewise */
	uint32_t expired;  /* flows and clients whose time had passed */
	uint32_t unknown;  /* whose VIP, port or server is no longer there */
	uint32_t refused;  /* for which there was no room, or that stood there twice */
};

/* The state of the model. `ifaces` are those that servers' `iface` counts. 0, or -1 when `out` fails. */
NODISCARD int handover_write(FILE *out, const struct model *model, const struct iface *ifaces, size_t iface_count);

/*
 * Reads `text`, `length` bytes and a 0 behind them, which is changed, into a model and a forwarder that have just taken
 * their settings. Without `recent` what the text says of health and MAC addresses is too old, and left out. The model
 * has changed then: compile a new table. NULL when memory is out.
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
