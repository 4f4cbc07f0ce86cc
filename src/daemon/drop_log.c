/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/drop_log.h"

#include <inttypes.h>

#include "base/log.h"

bool
loss_is_due(struct loss *loss, uint64_t count, uint64_t now, uint64_t *fresh)
{
	if (count == loss->logged || (loss->when != 0 && now - loss->when < LOSSES_INTERVAL))
		return false;
	/* An interface that was reopened may count from zero. */
	*fresh = count > loss->logged ? count - loss->logged : count;
	loss->logged = count;
	loss->when = now;
	return true;
}

/* Frames for no service can come from any host; the other reasons concern clients that were not served. */
static bool
drop_log_is_foreign(enum drop_reason reason)
{
	switch (reason) {
	case DROP_TRUNCATED:
	case DROP_MALFORMED:
	case DROP_UNSUPPORTED:
	case DROP_ICMP_UNKNOWN:
	case DROP_ICMP_RATE:
	case DROP_ICMP_FRAGMENT:
	case DROP_PING_RATE:
	case DROP_NO_SERVICE:
	case DROP_FORGED:
	case DROP_STANDBY: /* the active director has another copy, or the client's cache is old */
	case DROP_LIMIT_NEW: /* as configured; the problem limit-new warns */
		return true;
	case DROP_FRAGMENT:
	case DROP_LOOP:
	case DROP_BOUNCE:
	case DROP_NO_SERVER:
	case DROP_QUORUM:
	case DROP_NO_NEIGHBOR:
	case DROP_SERVERS_FULL:
	case DROP_HOPS:
	case DROP_UNCHANGEABLE:
	case DROP_TOO_BIG:
	case DROP_REASON_COUNT:
		break;
	}
	return false;
}

static void
drop_log_write_drops(struct drop_log *losses, const struct report_facts *facts)
{
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++) {
		const uint64_t total = facts->forwarder->stats.dropped[reason];
		uint64_t fresh;

		if (loss_is_due(&losses->dropped[reason], total, facts->now, &fresh))
			(drop_log_is_foreign(reason) ? log_notice :
			    log_warning)("frames-dropped reason=%s frames=%" PRIu64 " total=%"
			    PRIu64 " meaning=\"%s\"", drop_reason_name(reason), fresh, total,
			    drop_reason_sentence(reason));
	}
}

void
drop_log_write(struct drop_log *losses, const struct report_facts *facts)
{
	drop_log_write_drops(losses, facts);
	for (size_t i = 0; i < facts->iface_count; i++) {
		const struct report_iface *iface = &facts->ifaces[i];
		uint64_t fresh;

		if (loss_is_due(&losses->captured[i], iface->capture_dropped, facts->now, &fresh))
			log_warning("frames-lost interface=%s frames=%" PRIu64 " total=%" PRIu64
			    " reason=\"dsrd did not read "
			    "them in time: it was busy or blocked\"", iface->iface->name, fresh,
			    iface->capture_dropped);
		if (loss_is_due(&losses->not_sent[i], iface->not_sent, facts->now, &fresh))
			log_warning("frames-not-sent interface=%s frames=%" PRIu64 " total=%" PRIu64
			    " reason=\"the system refused "
			    "them: its queue was full, or the interface down\"", iface->iface->name, fresh,
			    iface->not_sent);
	}
}
