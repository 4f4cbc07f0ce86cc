/* SPDX-License-Identifier: ISC */
/* The states of a flow: names, lifetimes, and how the client's half of a TCP connection moves through them. */
#include "config.h"

#include "flow/conn.h"

#include "base/duration.h"
#include "flow/unproven.h"
#include "proto/packet.h"

/* tcp_timeouts[] in net/netfilter/ipvs/ip_vs_proto_tcp.c, udp_timeouts[] in ip_vs_proto_udp.c. */
struct conn_timeouts
conn_timeouts_default(void)
{
	return (struct conn_timeouts) { .state = {
		[CONN_SYN] = SECONDS(60),
		[CONN_ESTABLISHED] = MINUTES(15),
		[CONN_FIN_WAIT] = MINUTES(2),
		[CONN_TIME_WAIT] = MINUTES(2),
		[CONN_CLOSED] = SECONDS(10),
		[CONN_UDP] = MINUTES(5),
	} };
}

uint64_t
conn_lifetime_new(const struct conn_timeouts *timeouts, uint8_t protocol)
{
	const uint64_t proven = timeouts->state[protocol == PROTOCOL_UDP ? CONN_UDP : CONN_ESTABLISHED];

	return UNPROVEN_LIFETIME < proven ? UNPROVEN_LIFETIME : proven;
}

enum segment_kind {
	SEGMENT_SYN,
	SEGMENT_FIN,
	SEGMENT_ACK,
	SEGMENT_RST,
	SEGMENT_KIND_COUNT
};

/*
 * Indexed by the flow's state, then by the client's segment: the rows INPUT-ONLY of tcp_states[] in
 * net/netfilter/ipvs/ip_vs_proto_tcp.c, for the states that a client's half can reach.
 *
 * - A SYN in ESTABLISHED is a retransmission, or a reused port of a connection whose end was not seen: the server
 * knows. - An ACK of an unknown flow belongs to a connection older than the director (IPVS sloppy_tcp): it is adopted.
 * - A FIN directly after the SYN: the handshake's ACK was lost before the director, and the connection had no data. - A
 * RST in SYN is ignored: it can be forged by anyone, and the flow is short-lived anyway. - In FIN_WAIT the client still
 * acknowledges what the server sends, perhaps for hours; each ACK prolongs the flow.
 */
static const uint8_t tcp_next[CONN_STATE_COUNT][SEGMENT_KIND_COUNT] = {
	/*                      SYN               FIN             ACK               RST */
	[CONN_NONE] =        { CONN_SYN,         CONN_CLOSED,    CONN_NEW,         CONN_CLOSED },
	[CONN_SYN] =         { CONN_SYN,         CONN_TIME_WAIT, CONN_ESTABLISHED, CONN_SYN },
	[CONN_ESTABLISHED] = { CONN_ESTABLISHED, CONN_FIN_WAIT,  CONN_ESTABLISHED, CONN_CLOSED },
	[CONN_FIN_WAIT] =    { CONN_SYN,         CONN_FIN_WAIT,  CONN_FIN_WAIT,    CONN_CLOSED },
	[CONN_TIME_WAIT] =   { CONN_SYN,         CONN_TIME_WAIT, CONN_TIME_WAIT,   CONN_CLOSED },
	[CONN_CLOSED] =      { CONN_SYN,         CONN_CLOSED,    CONN_CLOSED,      CONN_CLOSED },
	[CONN_UDP] =         { CONN_UDP,         CONN_UDP,       CONN_UDP,         CONN_UDP },
	[CONN_NEW] =         { CONN_SYN,         CONN_CLOSED,    CONN_ESTABLISHED, CONN_CLOSED },
};

#define KIND_FLAGS (TCP_FIN | TCP_SYN | TCP_RST)

/* By the three flags, the lowest bits: of several, RST comes before SYN and FIN, as in the kernel's tcp_state_idx(). */
static const uint8_t kinds[KIND_FLAGS + 1] = {
	SEGMENT_ACK, SEGMENT_FIN, SEGMENT_SYN, SEGMENT_SYN, SEGMENT_RST, SEGMENT_RST, SEGMENT_RST, SEGMENT_RST
};

enum conn_state
conn_tcp_next(enum conn_state state, uint8_t tcp_flags)
{
	/* A segment with none of the four changes nothing. */
	if ((tcp_flags & (KIND_FLAGS | TCP_ACK)) == 0)
		return state == CONN_NONE ? CONN_CLOSED : state;
	return (enum conn_state)tcp_next[state][kinds[tcp_flags & KIND_FLAGS]];
}

const char *
conn_state_name(enum conn_state state)
{
	static const char *const names[CONN_STATE_COUNT] = {
		[CONN_NONE] = "none",
		[CONN_SYN] = "syn",
		[CONN_ESTABLISHED] = "established",
		[CONN_FIN_WAIT] = "fin-wait",
		[CONN_TIME_WAIT] = "time-wait",
		[CONN_CLOSED] = "closed",
		[CONN_UDP] = "udp",
		[CONN_NEW] = "new",
	};

	return (unsigned)state < CONN_STATE_COUNT ? names[state] : "?";
}

bool
conn_is_active(enum conn_state state)
{
	return state == CONN_ESTABLISHED || state == CONN_UDP;
}

bool
conn_is_proven(enum conn_state state)
{
	return state != CONN_SYN && state != CONN_NEW;
}
