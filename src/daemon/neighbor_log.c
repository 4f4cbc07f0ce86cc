/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/neighbor_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "doctor/diagnosis.h"

#define FIX_TEXT 256

/* What every line begins with. */
struct neighbor_line {
	char server[SERVER_NAME_TEXT];
	char addr[ADDR_TEXT];
	char mac[MAC_TEXT];
	char other[MAC_TEXT];
	const char *interface;
};

static const char *
neighbor_log_mac(const struct mac *mac, char text[MAC_TEXT])
{
	if (mac_is_zero(mac))
		(void)snprintf(text, MAC_TEXT, "none");
	else
		mac_format(mac, text);
	return text;
}

static void
neighbor_log_lost(const struct neighbor_line *line, const struct neigh *neigh)
{
	const struct diagnose_facts facts = { .own = neigh->addr, .interface = line->interface };
	char ask[REMEDY_TEXT];

	log_warning("neighbor-lost server=%s address=%s interface=%s before=%s reason=\"no answer to %s: the server "
	    "gets no "
	    "traffic\" fix=\"is it switched on, and in this network? %s\"", line->server, line->addr, line->interface,
	    line->other, neigh->addr.family == ADDR_IPV6 ? "neighbor solicitations" : "ARP requests",
	    remedy_fill("{ask-own}", &facts, ask));
}

/* How to make the refused MAC the server's, if that is what it is. */
static void
neighbor_log_fix(const struct neighbor_line *line, enum neigh_reason reason, char text[FIX_TEXT])
{
	if (reason == NEIGH_DIRECTOR)
		(void)snprintf(text, FIX_TEXT, "find the machine that uses the director's MAC %s", line->other);
	else if (reason == NEIGH_NEXT_HOP)
		(void)snprintf(text, FIX_TEXT, "switch proxy ARP off on the router with MAC %s; if it is the server, "
		    "write mac=%s "
		    "at the server in dsrd.conf", line->other, line->other);
	else
		(void)snprintf(text, FIX_TEXT, "find the machine with MAC %s; if it is the server, run: dsrctl "
		    "neighbor %s %s",
		    line->other, line->server, line->other);
}

static void
neighbor_log_conflict(const struct neighbor_line *line, enum neigh_reason reason, const struct neigh *neigh)
{
	char fix[FIX_TEXT];

	neighbor_log_fix(line, reason, fix);
	log_warning("neighbor-conflict server=%s address=%s mac=%s claimed-by=%s interface=%s decided=%s claims=%"
	    PRIu64
	    " reason=\"%s\" fix=\"%s\"", line->server, line->addr, line->mac, line->other, line->interface,
	    neigh_reason_name(reason), neigh->rival.claims, neigh_reason_sentence(reason), fix);
}

void
neighbor_log(enum neigh_event event, enum neigh_reason reason, const struct server *server,
    const struct neigh *neigh, const struct mac *other, const char *interface)
{
	struct neighbor_line line = { .interface = interface };

	server_name(server, line.server);
	addr_format(&neigh->addr, line.addr);
	neighbor_log_mac(&neigh->mac, line.mac);
	neighbor_log_mac(other, line.other);
	switch (event) {
	case NEIGH_FOUND:
		if (mac_is_zero(other) || mac_equal(other, &neigh->mac))
			log_notice("neighbor-found server=%s address=%s mac=%s interface=%s", line.server, line.addr,
			    line.mac,
			    interface);
		else
			log_notice("neighbor-found server=%s address=%s mac=%s interface=%s before=%s", line.server,
			    line.addr,
			    line.mac, interface, line.other);
		break;
	case NEIGH_CHANGED:
		log_notice("neighbor-changed server=%s address=%s mac=%s before=%s interface=%s decided=%s "
		    "reason=\"%s\"",
		    line.server, line.addr, line.mac, line.other, interface, neigh_reason_name(reason),
		    neigh_reason_sentence(reason));
		break;
	case NEIGH_GONE:
		neighbor_log_lost(&line, neigh);
		break;
	case NEIGH_CONFLICT:
		neighbor_log_conflict(&line, reason, neigh);
		break;
	case NEIGH_CONFLICT_ENDED:
		log_notice("neighbor-conflict-end server=%s address=%s mac=%s claimed-by=%s interface=%s", line.server,
		    line.addr,
		    line.mac, line.other, interface);
		break;
	}
}
