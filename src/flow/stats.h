/* SPDX-License-Identifier: ISC */
/*
 * Why a frame for a VIP did not reach a server. One list gives the enum, the public name (metrics, log, summaries) and
 * the sentence for people.
 */
#ifndef FLOW_STATS_H
#define FLOW_STATS_H

#include <stddef.h>
#include <stdint.h>

#define DROP_REASONS(X) \
	X(TRUNCATED, "truncated", "the frame is shorter than its headers say, or the capture cut it") \
	X(MALFORMED, "malformed", "header fields contradict each other") \
	X(UNSUPPORTED, "unsupported", "an IP protocol that no service can have") \
	X(FRAGMENT, "fragment", "a fragment without its first one, or without ports in it, and no room to hold it") \
	X(ICMP_UNKNOWN, "icmp-unknown", "an ICMP error about no flow that is known") \
	X(ICMP_RATE, "icmp-rate", "an ICMP error about a flow that is not known here, and 100 a second of a VIP are sent on") \
	X(ICMP_FRAGMENT, "icmp-fragment", "an ICMP message in fragments: the director takes whole ones only") \
	X(PING_RATE, "ping-rate", "more pings than are answered: 100 a second from one source") \
	X(STANDBY, "standby", "another director serves this VIP: this one stands by") \
	X(FORGED, "forged", "for this host itself as a server, and its source is one of this host's addresses") \
	X(LOOP, "loop", "the director's own frame came back") \
	X(BOUNCE, "bounce", "a real server sent the VIP's frame back: it forwards, and lacks the VIP") \
	X(NO_SERVICE, "no-service", "no service listens on this port of the VIP") \
	X(NO_SERVER, "no-server", "the service has no server that takes new connections") \
	X(QUORUM, "quorum", "fewer servers of the service are up than its `quorum`") \
	X(NO_NEIGHBOR, "no-neighbor", "the flow's server has no known MAC address") \
	X(SERVERS_FULL, "servers-full", "every server has its `max-connections`") \
	X(LIMIT_NEW, "limit-new", "more new connections a second than the service's `limit-new` allows") \
	X(HOPS, "hops", "its time to live does not allow another hop, which a tunnel is") \
	X(UNCHANGEABLE, "unchangeable", "method dscp cannot address it: an AH header protects it, or its first " \
	    "fragment is too short") \
	X(TOO_BIG, "too-big", "larger than the outgoing interface's MTU, and cannot be split")

enum drop_reason {
#define X(id, name, sentence) DROP_##id,
	DROP_REASONS(X)
#undef X
	DROP_REASON_COUNT
};

const char *drop_reason_name(enum drop_reason reason);
const char *drop_reason_sentence(enum drop_reason reason);

/* What the data plane counts, beside what it counts per server (struct server_run). One list gives fields and names. */
#define FORWARD_COUNTERS(X) \
	X(frames, "frames seen") \
	X(passed, "frames that are not for a VIP: left to the host") \
	X(consumed, "ARP frames, neighbor discovery and pings taken note of or answered") \
	X(forwarded, "frames sent on to a real server") \
	X(offloaded, "of these, frames that the kernel forwarded (offload)") \
	X(selected, "of these, frames of flows whose server the kernel selected by hash") \
	X(unrecorded, "of these, frames that the kernel's ring had no room for: their flows are not known") \
	X(offload_full, "flows that found no room in the kernel's table: forwarded by dsrd itself") \
	X(held, "fragments that waited for their first one") \
	X(fragments_released, "of these, sent on after it") \
	X(fragments_expired, "of these, given up because it never came") \
	X(by_hash, "frames of flows that the full table does not hold, sent by consistent hash") \
	X(previous_table, "frames of flows that began elsewhere, sent by the table before a change of servers") \
	X(quic_by_id, "QUIC packets sent by their connection ID: their address is new, or of another connection") \
	X(quic_invalid, "QUIC packets whose connection ID names no server that is there: sent by their addresses") \
	X(unproven_evicted, "unproven flows that made room for newer ones") \
	X(persist_full, "clients not remembered for persistence because that table is full") \
	X(unfit, "FINs, RSTs, SYNs and handshake ACKs whose numbers do not fit the flow: forwarded, and not believed") \
	X(icmp_errors, "ICMP errors handed to the server of the flow they are about") \
	X(icmp_by_hash, "of these, about flows that are not known here: sent by consistent hash") \
	X(tunnel_errors, "ICMP errors about packets in tunnels, of flows that are known") \
	X(tunnel_errors_refused, "ICMP errors about packets in tunnels that nothing proves") \
	X(echo_answers, "pings of VIPs answered") \
	X(arp_answers, "ARP answers given for VIPs") \
	X(ndp_answers, "neighbor advertisements given for VIPs") \
	X(vip_check_answers, "answers to VIP checks") \
	X(conflict_probes, "VIP conflict probes sent") \
	X(announcements, "gratuitous VIP announcements sent") \
	X(neighbor_requests, "ARP requests and neighbor solicitations sent for real servers") \
	X(neighbor_changes, "new MAC addresses of real servers that were believed") \
	X(neighbor_refused, "claims to a real server's address that were not believed") \
	X(checksums_finished, "unfinished TCP or UDP checksums completed") \
	X(path_mtu_answers, "packets too large for a tunnel, answered with its MTU") \
	X(checksums_left, "unfinished TCP or UDP checksums left to the network card") \
	X(frames_whole, "super-frames sent whole, which the network card splits") \
	X(frames_split, "super-frames split into segments") \
	X(segments, "segments they were split into")

struct forward_stats {
#define X(name, text) uint64_t name;
	FORWARD_COUNTERS(X)
#undef X
	uint64_t dropped[DROP_REASON_COUNT];
};

/* Calls `each` for every counter except drops, which have the names of flow/stats.h. */
void forward_stats_each(const struct forward_stats *stats,
    void (*each)(void *context, const char *name, const char *text, uint64_t value), void *context);
uint64_t forward_stats_dropped(const struct forward_stats *stats); /* all reasons */

/* How fast a counter grows: in the last second or so, and smoothed over some more. Pure; time in microseconds. */
struct rate {
	uint64_t total;    /* at the last rate_tick() */
	uint64_t when;     /* the time of it; 0: none yet */
	uint64_t current;  /* a second, between the last two */
	uint64_t smoothed; /* thousandths a second: what is older than ten seconds counts for about a third */
};

/* `total` is the counter's value. A counter that went backwards restarts. Call about once a second, or at any time. */
void rate_tick(struct rate *rate, uint64_t total, uint64_t now);
/* Smoothed, a second, rounded. */
uint64_t rate_value(const struct rate *rate);

#endif
