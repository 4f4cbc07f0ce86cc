/* SPDX-License-Identifier: ISC */
/*
 * A server's state for each VIP, protocol and port that its service listens on. Whatever concerns one port takes the
 * server out for that port alone: a VIP check that finds the port refused, a health check that names the port.
 *
 * What is out is derived, not stored for each port: from the faults that the VIP check found (few, and none as a rule)
 * and from the checks that are DOWN.
 */
#ifndef MODEL_LISTEN_STATE_H
#define MODEL_LISTEN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/settings.h"

struct server;

/* How much of a VIP a fault concerns. */
enum fault_scope {
	FAULT_PORT = 0,
	FAULT_PROTOCOL, /* every port of the protocol: all that were probed fail, and not all can be probed */
	FAULT_VIP
};

/* What the VIP check found wrong. Owned by the VIP check (vipcheck/vipcheck.h); the model links to it. */
struct vip_fault {
	enum fault_scope scope;
	struct addr vip;
	uint8_t protocol;
	uint16_t port;        /* the port that was probed */
	bool refused;         /* by a TCP reset or an ICMP port unreachable of the VIP: the server accepts the VIP */
	bool note;            /* only shown: a port of a range may be opened on demand */
	const char *name;     /* static: "not-listening" */
	const char *sentence; /* static */
	struct vip_fault *next;
};

enum listen_state {
	LISTEN_SERVED = 0, /* no reason against it */
	LISTEN_NOTED,      /* served, but no program listens on the probed port of the range */
	/* out, since no program listens there. Used when every server refuses: the client gets a reset */
	LISTEN_REFUSED,
	LISTEN_OUT         /* gets no traffic */
};

/* What is out of a server's listens. */
enum server_ports {
	PORTS_ALL = 0, /* nothing is */
	PORTS_PARTLY,
	PORTS_NONE     /* the server is DOWN */
};

/* Of one of the server's service's listens. */
enum listen_state server_listen_state(const struct server *server, const struct listen_settings *listen);
/* The same, from one fault or one check of the server. */
enum listen_state listen_state_by_fault(const struct vip_fault *fault, const struct listen_settings *listen);
enum listen_state listen_state_by_check(const struct server *server, size_t index,
    const struct listen_settings *listen);
/* True if the check is about a single port that the service listens on. */
bool check_is_of_port(const struct service_settings *service, const struct check_settings *check);
/* Works out server->ports. Call it when the server's faults, its checks or its service's listens changed. */
void server_update_ports(struct server *server);

#endif
