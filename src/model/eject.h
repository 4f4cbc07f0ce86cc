/* SPDX-License-Identifier: ISC */
/*
 * Passive ejection: a server whose answers do not reach clients, as the clients' segments show, gets no new connections
 * for a time. Modelled on Envoy's outlier detection (docs: intro/arch_overview/upstream/outlier): an ejection lasts
 * EJECT_BASE times the number of ejections, EJECT_MOST at most; that number falls by one for each EJECT_BASE without a
 * new finding; and only a share of the servers, at least one, may be ejected at a time. Unlike in Envoy, the last
 * server that takes connections is never ejected, and existing flows stay on the server.
 *
 * The evidence can be forged: SYNs repeated at the right times from addresses of many networks can make a server look
 * bad. That is why the share is bounded, why an ejection ends without intervention, and why the default only warns.
 * Pure.
 */
#ifndef MODEL_EJECT_H
#define MODEL_EJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/duration.h"

#define EJECT_BASE SECONDS(30)
#define EJECT_MOST SECONDS(300)

/* Of one server. Zero is a good beginning. */
struct eject {
	uint64_t until;   /* it is out until then; 0: it is in */
	uint64_t settled; /* when `times` last changed */
	uint32_t times;   /* ejections that are not forgotten */
	uint64_t total;   /* all of them */
};

/* For how long the next ejection lasts. */
uint64_t eject_duration(const struct eject *eject);
/* May one more of `servers` that take connections be ejected, of which `out` are? `most` in percent. */
bool eject_may(size_t servers, size_t out, unsigned most);
void eject_begin(struct eject *eject, uint64_t now);
/* Returns whether the ejection ends now. For a server that is in and `fine`, the number of ejections decays. */
bool eject_tick(struct eject *eject, bool fine, uint64_t now);

#endif
