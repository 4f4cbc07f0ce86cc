/* SPDX-License-Identifier: ISC */
/*
 * The health of a server, computed from the results of checks; pure bookkeeping. UNKNOWN, UP and DOWN come from checks;
 * disabled and draining are administrative states (model/model.h).
 */
#ifndef MODEL_HEALTH_H
#define MODEL_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum health_state {
	HEALTH_UNKNOWN = 0, /* not checked yet: gets no traffic */
	HEALTH_UP,
	HEALTH_DOWN
};

/* Why a check failed, and so why a server is DOWN. */
#define HEALTH_REASONS(X) \
	X(NONE, "ok", "none") \
	X(REFUSED, "check-refused", "connection refused") \
	X(TIMEOUT, "check-timeout", "timeout") \
	X(UNREACHABLE, "check-unreachable", "host or network unreachable") \
	X(RESET, "check-reset", "connection reset") \
	X(LOCAL, "check-not-started", "the check could not be started on the director") \
	X(CLOSED, "check-closed", "connection closed before the answer was complete") \
	X(MISSING, "check-text-missing", "the expected text did not come") \
	X(STATUS, "check-status", "unexpected status") \
	X(BODY, "check-body", "the expected text is not in the body") \
	X(GARBLED, "check-garbled", "the answer breaks the protocol") \
	X(TLS, "check-tls", "TLS failed") \
	X(CERTIFICATE, "check-certificate", "certificate not valid for this server") \
	X(ANSWER, "check-dns-answer", "unexpected DNS answer") \
	X(SCRIPT, "check-script", "the script reports a failure")

enum health_reason {
#define X(id, name, text) HEALTH_REASON_##id,
	HEALTH_REASONS(X)
#undef X
	HEALTH_REASON_COUNT
};

#define CHECK_NO_WEIGHT (-1)

/* The result of one health check. */
struct check_report {
	enum health_reason reason; /* HEALTH_REASON_NONE: well */
	int weight;                /* per cent of the server's weight that a script grants, or CHECK_NO_WEIGHT */
	const char *detail;        /* what was checked and the result, "http 192.0.2.11:80 /healthz: status 503" */
	const char *got;           /* what was received, alone, "status 503"; or NULL */
};

struct health {
	enum health_state state;
	enum health_reason reason; /* of the last failure */
	uint32_t streak;           /* consecutive results that contradict `state` */
	uint64_t since;            /* when `state` began */
	uint64_t successes;
	uint64_t failures;
};

#define CHECK_GOT 120

/* One check of one server. */
struct server_check {
	struct health health;
	bool unused;               /* for other servers of the service: never run, and UP */
	bool one_port;             /* is about the port it names only, not about the whole server */
	uint8_t percent; /* of the server's weight that this check (a script) grants, 0 to 100 */
	bool troubled;   /* the last answer was HEALTH_REASON_LOCAL, which is logged once */
	char got[CHECK_GOT]; /* what came back at the last failure, if it can be said: "status 404"; printable, without double quotes */
};

/*
 * Processes one check's result (HEALTH_REASON_NONE: success) and returns whether `state` changed. The first result
 * decides alone; later `rise` successes or `fall` failures in a row are needed (0 counts as 1).
 *
 * HEALTH_REASON_LOCAL changes nothing, not even the counters: it is a fault of the director, not of the server, and
 * would take all servers down when the director runs out of descriptors. Log it.
 */
bool health_report(struct health *health, enum health_reason result, uint32_t rise, uint32_t fall, uint64_t now);
/*
 * Combines the checks of a server: DOWN when a check that is not `one_port` is, with its reason; UNKNOWN while a check
 * has no result; else UP. Returns whether `state` changed. Counters are left alone.
 */
bool health_combine(struct health *whole, const struct server_check *checks, size_t count, uint64_t now);
/* The first check that takes the whole server DOWN; `count` when none does. */
size_t health_blame(const struct server_check *checks, size_t count);
/* The least percentage that a check grants; 100 without checks. */
uint8_t health_percent(const struct server_check *checks, size_t count);
/* For a server without checks: UP from now on. Returns whether `state` changed. */
bool health_trust(struct health *health, uint64_t now);
const char *health_state_name(enum health_state state);
const char *health_reason_name(enum health_reason reason); /* "check-refused": for programs */
const char *health_reason_text(enum health_reason reason);

#endif
