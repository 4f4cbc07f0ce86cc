/* SPDX-License-Identifier: ISC */
/*
 * The process that holds the routes to announced VIPs (os/routes.h): a small one beside the director, with the right
 * to change the network and no other. It removes all routes when the director ends, and when it hears nothing from it
 * for ROUTE_HOLDER_SILENCE: a director that is killed, or hangs, is withdrawn. Which addresses are VIPs, and how their
 * group is announced, the configuration says, which it reads itself.
 *
 *	fd = route_holder_fork(&order, &pid);         the privileged process does, when it is asked to
 *	route_holder_send(fd, operation, &addr, metric);   a ROUTE_HOLDER_BEAT at least every ROUTE_HOLDER_BEATS
 *	route_holder_read(fd, &answer);
 */
#ifndef DAEMON_ROUTE_HOLDER_H
#define DAEMON_ROUTE_HOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "os/os.h"
#include "os/sandbox.h"

struct privsep_order;

/*
 * Clients of a director that hangs are to be elsewhere within 1.5 seconds, of which routing daemons take some 0.2. On a
 * machine with twelve programs for each processor a director that had a core of its own before was silent for 0.9.
 */
#define ROUTE_HOLDER_BEATS MILLISECONDS(200)
#define ROUTE_HOLDER_SILENCE MILLISECONDS(1200)

enum route_holder_operation {
	ROUTE_HOLDER_BEAT = 1, /* the director is alive */
	ROUTE_HOLDER_ADD,      /* the address with that metric; another metric of it is removed */
	ROUTE_HOLDER_REMOVE,
	ROUTE_HOLDER_RELOAD    /* the configuration is another: VIPs may be in other groups */
};

struct route_holder_request {
	uint32_t operation;
	uint32_t metric; /* of ROUTE_HOLDER_ADD */
	struct {
		uint8_t family; /* of enum addr_family; zero without an address */
		uint8_t bytes[16];
	} addr;
	uint8_t zero[3];
};

enum route_holder_result {
	ROUTE_HOLDER_READY = 0, /* the first answer, with `sandbox` */
	ROUTE_HOLDER_DONE,      /* the route of `addr` is there */
	ROUTE_HOLDER_RESTORED,  /* it was there, something had removed it, and it is there again */
	ROUTE_HOLDER_FAILED,    /* it is not, for `reason` */
	ROUTE_HOLDER_ENDS       /* all routes are gone, for `reason`, and the process ends */
};

struct route_holder_answer {
	uint32_t result;
	uint32_t metric;
	struct addr addr;
	char reason[OS_ERROR];
	struct os_sandbox sandbox;
};

/* 0 and `*request`, or -1: `length` bytes are no request. */
NODISCARD int route_holder_request_read(const void *bytes, size_t length, struct route_holder_request *request);

/* The director's end of a socket to a new process; -1 with errno. */
NODISCARD int route_holder_fork(const struct privsep_order *order, pid_t *pid);
/* 0; -1 with errno: EAGAIN when it has not read what was sent before. `addr` NULL: none. */
NODISCARD int route_holder_send(int fd, enum route_holder_operation operation, const struct addr *addr,
    uint32_t metric);
/* 1: an answer; 0: none is there; -1: the process has ended. */
NODISCARD int route_holder_read(int fd, struct route_holder_answer *answer);

#endif
