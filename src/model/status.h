/* SPDX-License-Identifier: ISC */
/*
 * The single description of the state of a server or a service, used by log, notify, `dsrctl show`, why and doctor, the
 * status page, JSON and metrics.
 */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define STATUS_NAME 32
#define STATUS_TEXT 512

/* The source of a state. */
enum status_source {
	STATUS_BY_CHECK = 0,
	STATUS_BY_VIP_CHECK,
	STATUS_BY_CONFLICT,
	STATUS_BY_NEIGHBOR,
	STATUS_BY_CLIENTS, /* what they send again */
	STATUS_BY_OPERATOR,
	STATUS_BY_CONFIGURATION
};
const char *status_source_name(enum status_source source); /* "check", "vip-check", ... */

struct server_status {
	enum server_state state;
	enum status_source source;
	bool plain;               /* an UP server without anything to mention */
	char name[STATUS_NAME];   /* the reason for programs: "ok", "check-refused", "vip-ignored", "drained", ... */
	char sentence[STATUS_TEXT]; /* for people, with port, protocol and what was expected; never empty */
};

/*
 * Of several reasons the first counts: disabled; an address that frames cannot be sent to; checks of the whole
 * server; the VIP check and the checks of its ports; a VIP conflict; not checked yet; no neighbor; drained or weight
 * 0. What an operator did is in the sentence always.
 */
void server_status(const struct server *server, struct server_status *status);

/* "3 of 5 handshakes of the last minute got no answer, with its peers 0 of 5": why `lost` has its verdict. */
void server_lost_text(const struct server *server, char text[STATUS_TEXT]);

/* What keeps the server from serving that listen, as "tcp/443: connection refused"; empty when nothing does. */
void server_listen_reason(const struct server *server, const struct listen_settings *listen, char text[STATUS_TEXT]);
/* The check as people read it: "tcp/443", "http :80/healthz". */
void server_check_subject(const struct server *server, size_t index, char text[STATUS_TEXT]);
/* The last failure of that check: "http :80/healthz: status 404, expected 200-399". */
void server_check_reason(const struct server *server, size_t index, char text[STATUS_TEXT]);

enum service_state {
	SERVICE_UNKNOWN = 0,
	SERVICE_UP,
	SERVICE_DEGRADED, /* serves, but a server of it is down, or out for a port */
	SERVICE_DOWN
};
const char *service_state_name(enum service_state state); /* "unknown", "up", "degraded", "down" */

struct service_status {
	enum service_state state;
	size_t up;               /* servers that are UP */
	size_t servers;
	size_t quorum;           /* servers that must be UP */
	bool quorum_lost;
	char name[STATUS_NAME];  /* "ok", "server-down", "port-not-served", "no-server", "quorum-lost", "unknown" */
	char sentence[STATUS_TEXT];
};
void service_status(const struct service *service, struct service_status *status);

#endif
