/* SPDX-License-Identifier: ISC */
/* One question in a datagram, and the wait for its answer: what the DNS and UDP checks have in common. */
#ifndef CHECK_DATAGRAM_H
#define CHECK_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/health.h"

struct event;
struct check_target;

#define DATAGRAM_MOST 4096 /* what is looked at of an answer; EDNS answers are not longer */

struct datagram {
	const struct check_target *target;
	struct event *event;    /* NULL when nothing is under way */
	struct event *deadline;
	int fd;
	/* An answer came. */
	void (*received)(void *runner, const uint8_t *bytes, size_t length);
	/* None came, or an error. `detail` is check_error_text()'s. */
	void (*failed)(void *runner, enum health_reason reason, const char *detail);
	void *runner;
};

/* From a port of the kernel's choice, a new one each time. Calls back, perhaps from within. */
void datagram_ask(struct datagram *datagram, const uint8_t *bytes, size_t length);
/* Nothing is called back any more. */
void datagram_close(struct datagram *datagram);

#endif
