/* SPDX-License-Identifier: ISC */
/*
 * Why a frame for a VIP did not reach a server. One list gives the enum, the public name (metrics, log, summaries) and
 * the sentence for people.
 */
#ifndef FLOW_DROP_H
#define FLOW_DROP_H

#define DROP_REASONS(X) \
	X(TRUNCATED, "truncated", "the frame is shorter than its headers say, or the capture cut it") \
	X(MALFORMED, "malformed", "header fields contradict each other") \
	X(UNSUPPORTED, "unsupported", "an IP protocol that no service can have") \
	X(FRAGMENT, "fragment", "a fragment without its first one, or without ports in it, and no room to hold it") \
	X(ICMP_UNKNOWN, "icmp-unknown", "an ICMP error about no flow that is known") \
	X(ICMP_FRAGMENT, "icmp-fragment", "an ICMP message in fragments: the director takes whole ones only") \
	X(PING_RATE, "ping-rate", "more pings than are answered: 100 a second from one source") \
	X(STANDBY, "standby", "another director serves this VIP: this one stands by") \
	X(LOOP, "loop", "the director's own frame came back") \
	X(BOUNCE, "bounce", "a real server sent the VIP's frame back: it forwards, and lacks the VIP") \
	X(NO_SERVICE, "no-service", "no service listens on this port of the VIP") \
	X(NO_SERVER, "no-server", "the service has no server that takes new connections") \
	X(QUORUM, "quorum", "fewer servers of the service are up than its `quorum`") \
	X(NO_NEIGHBOR, "no-neighbor", "the flow's server has no known MAC address") \
	X(SERVERS_FULL, "servers-full", "every server has its `max-connections`") \
	X(HOPS, "hops", "its time to live does not allow another hop, which a tunnel is") \
	X(UNCHANGEABLE, "unchangeable", "method dscp cannot address it: an AH header protects it, or its first fragment is too short") \
	X(TOO_BIG, "too-big", "larger than the outgoing interface's MTU, and cannot be split")

enum drop_reason {
#define X(id, name, sentence) DROP_##id,
	DROP_REASONS(X)
#undef X
	DROP_REASON_COUNT
};

const char *drop_reason_name(enum drop_reason reason);
const char *drop_reason_sentence(enum drop_reason reason);

#endif
