/* SPDX-License-Identifier: ISC */
/* What the answers to the VIP probe mean: a truth table, read from the top; the first row that matches counts. */
#include "config.h"

#include "vipcheck/vipcheck.h"

#include "base/attr.h"

/* ICMP Parameters, IANA: "host unreachable", and its ICMPv6 counterpart "address unreachable". */
#define V4_HOST_UNREACHABLE 1
#define V6_ADDRESS_UNREACHABLE 3
#define V4_PORT_UNREACHABLE 3
#define V6_PORT_UNREACHABLE 4

static bool
judge_has_arrived(const struct evidence *evidence, enum probe probe, enum answer answer)
{
	return evidence->replies[probe].answer == answer;
}

/* Did the server answer at its own address? An ICMP error from another one is that of a router, about the server. */
static bool
judge_any_answer(const struct evidence *evidence, enum probe probe, const struct addr *own)
{
	switch (evidence->replies[probe].answer) {
	case ANSWER_NOT_PROBED:
	case ANSWER_AWAITED:
	case ANSWER_SILENCE:
		return false;
	case ANSWER_SYN_ACK:
	case ANSWER_RESET:
	case ANSWER_ECHO:
	case ANSWER_DATA:
	case ANSWER_BOUNCED:
		break;
	case ANSWER_UNREACHABLE:
		return addr_equal(&evidence->replies[probe].from, own);
	}
	return true;
}

static enum vipcheck_verdict
judge_cause(enum icmp_cause cause)
{
	switch (cause) {
	case ICMP_CAUSE_NO_PROTOCOL:
		return VIPCHECK_NO_DECAPSULATION;
	case ICMP_CAUSE_NO_PORT:
		return VIPCHECK_NO_TUNNEL_PORT;
	case ICMP_CAUSE_NONE:
	case ICMP_CAUSE_TOO_BIG:
	case ICMP_CAUSE_NO_WAY:
	case ICMP_CAUSE_HOPS:
		break;
	}
	return VIPCHECK_TUNNEL_BROKEN;
}

/* An answer from another address than the VIP; with dscp the server's own: the packet was still addressed to it. */
static enum vipcheck_verdict
judge_other_source(const struct evidence *evidence, const struct reply *reply, const struct addr *own)
{
	return evidence->method == ENCAP_DSCP && addr_equal(&reply->from, own) ? VIPCHECK_DSCP_IGNORED :
	    VIPCHECK_WRONG_SOURCE;
}

/* The server answers pings, but none that came through the tunnel. */
static bool
judge_is_tunnel_silent(const struct evidence *evidence)
{
	return encap_is_tunnel((enum encap_method)evidence->method) &&
	    evidence->replies[PROBE_TUNNEL_ECHO].answer == ANSWER_SILENCE &&
	    evidence->replies[PROBE_OWN_ECHO].answer == ANSWER_ECHO;
}

static enum vipcheck_verdict
judge_unreachable(const struct evidence *evidence, const struct reply *reply, const struct addr *vip,
    const struct addr *own)
{
	const uint8_t host = reply->from.family == ADDR_IPV4 ? V4_HOST_UNREACHABLE : V6_ADDRESS_UNREACHABLE;

	if (reply->cause != ICMP_CAUSE_NONE)
		return judge_cause(reply->cause);
	if (addr_equal(&reply->from, vip))
		return VIPCHECK_REJECTED;
	if (!addr_equal(&reply->from, own) && own->family == vip->family)
		/* With dscp the packet was on its way to the server, and a router cannot deliver it. */
		return evidence->method == ENCAP_DSCP ? VIPCHECK_NO_CONTROL : VIPCHECK_ELSEWHERE;
	return reply->icmp_code == host ? VIPCHECK_NO_ROUTE : VIPCHECK_FORWARD_REJECTED;
}

/*
 * An answer from the VIP that did not come from the server's MAC and has nothing to prove it (UDP) is one
 * nevertheless if the ping of the VIP, which has, came from the same MAC: the server answers through another card.
 */
static bool
judge_is_elsewhere(const struct evidence *evidence, uint8_t protocol, const struct addr *vip)
{
	const struct reply *echo = &evidence->replies[PROBE_VIP_ECHO];

	return protocol == PROTOCOL_UDP && evidence->refused > 0 && evidence->refused_probe == PROBE_VIP &&
	    addr_equal(&evidence->refused_from, vip) &&
	    echo->answer == ANSWER_ECHO && addr_equal(&echo->from, vip) &&
	    mac_equal(&echo->mac, &evidence->refused_mac) &&
	    !mac_equal(&echo->mac, &evidence->server_mac);
}

/* Nothing came from the service's port. */
static enum vipcheck_verdict
judge_silence(const struct evidence *evidence, uint8_t protocol, const struct addr *vip, const struct addr *own)
{
	const struct reply *closed = &evidence->replies[PROBE_VIP_CLOSED];

	if (evidence->redirected)
		return VIPCHECK_BOUNCED;
	if (judge_is_elsewhere(evidence, protocol, vip))
		return VIPCHECK_OTHER_MAC;
	if (closed->answer == ANSWER_RESET || judge_has_arrived(evidence, PROBE_VIP_ECHO, ANSWER_ECHO) ||
	    (closed->answer == ANSWER_UNREACHABLE && addr_equal(&closed->from, vip)))
		return VIPCHECK_FILTERED;
	if (evidence->resolved_source)
		return VIPCHECK_LOST;
	if (judge_is_tunnel_silent(evidence))
		return VIPCHECK_TUNNEL_SILENT;
	if (judge_any_answer(evidence, PROBE_OWN, own) || judge_any_answer(evidence, PROBE_OWN_ECHO, own))
		return VIPCHECK_IGNORED;
	return VIPCHECK_NO_CONTROL;
}

static enum vipcheck_verdict
judge_service(const struct evidence *evidence, uint8_t protocol, const struct addr *vip, const struct addr *own)
{
	const struct reply *reply = &evidence->replies[PROBE_VIP];

	switch (reply->answer) {
	case ANSWER_BOUNCED:
		return VIPCHECK_BOUNCED;
	case ANSWER_SYN_ACK:
	case ANSWER_DATA:
	case ANSWER_ECHO:
		if (!addr_equal(&reply->from, vip))
			return judge_other_source(evidence, reply, own);
		return mac_equal(&reply->mac, &evidence->server_mac) ? VIPCHECK_ACCEPTED : VIPCHECK_OTHER_MAC;
	case ANSWER_RESET:
		if (!addr_equal(&reply->from, vip))
			return judge_other_source(evidence, reply, own);
		return judge_has_arrived(evidence, PROBE_OWN, ANSWER_SYN_ACK) ? VIPCHECK_OWN_ONLY :
		    VIPCHECK_NOT_LISTENING;
	case ANSWER_UNREACHABLE:
		return judge_unreachable(evidence, reply, vip, own);
	case ANSWER_NOT_PROBED:
	case ANSWER_AWAITED:
	case ANSWER_SILENCE:
		break;
	}
	return judge_silence(evidence, protocol, vip, own);
}

/* UDP without a payload to send: a ping to the VIP, or a port unreachable from it, must do. */
static enum vipcheck_verdict
judge_host(const struct evidence *evidence, const struct addr *vip, const struct addr *own)
{
	const struct reply *echo = &evidence->replies[PROBE_VIP_ECHO], *closed = &evidence->replies[PROBE_VIP_CLOSED];

	if (echo->answer == ANSWER_BOUNCED || closed->answer == ANSWER_BOUNCED || evidence->redirected)
		return VIPCHECK_BOUNCED;
	if (echo->answer == ANSWER_ECHO && addr_equal(&echo->from, vip))
		return mac_equal(&echo->mac, &evidence->server_mac) ? VIPCHECK_ACCEPTED : VIPCHECK_OTHER_MAC;
	if (closed->answer == ANSWER_UNREACHABLE) {
		if (closed->cause != ICMP_CAUSE_NONE)
			return judge_cause(closed->cause);
		if (!addr_equal(&closed->from, vip))
			return judge_unreachable(evidence, closed, vip, own);
		return mac_equal(&closed->mac, &evidence->server_mac) ? VIPCHECK_ACCEPTED : VIPCHECK_OTHER_MAC;
	}
	if (evidence->resolved_source)
		return VIPCHECK_LOST;
	if (judge_is_tunnel_silent(evidence))
		return VIPCHECK_TUNNEL_SILENT;
	return judge_any_answer(evidence, PROBE_OWN_ECHO, own) ? VIPCHECK_IGNORED : VIPCHECK_NO_CONTROL;
}

static bool
judge_is_closed_port(const struct reply *reply, const struct addr *vip)
{
	const uint8_t port = vip->family == ADDR_IPV4 ? V4_PORT_UNREACHABLE : V6_PORT_UNREACHABLE;

	return reply->answer == ANSWER_UNREACHABLE && addr_equal(&reply->from, vip) && reply->icmp_code == port;
}

enum vipcheck_verdict
vipcheck_judge(const struct evidence *evidence, uint8_t protocol, const struct addr *vip, const struct addr *own)
{
	if (!addr_is_set(&evidence->source))
		return VIPCHECK_NO_SOURCE;
	if (protocol == PROTOCOL_UDP && evidence->replies[PROBE_VIP].answer == ANSWER_NOT_PROBED)
		return judge_host(evidence, vip, own);
	if (protocol == PROTOCOL_UDP && judge_is_closed_port(&evidence->replies[PROBE_VIP], vip))
		return VIPCHECK_NOT_LISTENING;
	return judge_service(evidence, protocol, vip, own);
}

enum vipcheck_class
vipcheck_verdict_class(enum vipcheck_verdict verdict)
{
	static const enum vipcheck_class classes[] = {
#define X(id, class, sentence) [VIPCHECK_##id] = VIPCHECK_##class,
		VIPCHECK_VERDICTS(X)
#undef X
	};

	return (unsigned)verdict < ARRAY_LEN(classes) ? classes[verdict] : VIPCHECK_UNSURE;
}

const char *
vipcheck_verdict_sentence(enum vipcheck_verdict verdict)
{
	static const char *const sentences[] = {
#define X(id, class, sentence) [VIPCHECK_##id] = sentence,
		VIPCHECK_VERDICTS(X)
#undef X
	};

	return (unsigned)verdict < ARRAY_LEN(sentences) ? sentences[verdict] : "?";
}

const char *
vipcheck_verdict_name(enum vipcheck_verdict verdict)
{
	static const char *const names[] = {
		[VIPCHECK_NOT_CHECKED] = "not-checked",
		[VIPCHECK_ACCEPTED] = "accepted",
		[VIPCHECK_OTHER_MAC] = "other-mac",
		[VIPCHECK_BOUNCED] = "bounced",
		[VIPCHECK_NO_ROUTE] = "no-route",
		[VIPCHECK_FORWARD_REJECTED] = "forward-rejected",
		[VIPCHECK_OWN_ONLY] = "own-only",
		[VIPCHECK_NOT_LISTENING] = "not-listening",
		[VIPCHECK_REJECTED] = "rejected",
		[VIPCHECK_FILTERED] = "filtered",
		[VIPCHECK_LOST] = "lost",
		[VIPCHECK_IGNORED] = "ignored",
		[VIPCHECK_WRONG_SOURCE] = "wrong-source",
		[VIPCHECK_NO_DECAPSULATION] = "no-decapsulation",
		[VIPCHECK_NO_TUNNEL_PORT] = "no-tunnel-port",
		[VIPCHECK_TUNNEL_BROKEN] = "tunnel-broken",
		[VIPCHECK_TUNNEL_SILENT] = "tunnel-silent",
		[VIPCHECK_DSCP_IGNORED] = "dscp-ignored",
		[VIPCHECK_ELSEWHERE] = "elsewhere",
		[VIPCHECK_LOSSY] = "lossy",
		[VIPCHECK_UNVERIFIED] = "unverified",
		[VIPCHECK_NO_CONTROL] = "no-control",
		[VIPCHECK_NO_SOURCE] = "no-source",
	};

	return (unsigned)verdict < ARRAY_LEN(names) ? names[verdict] : "?";
}

const char *
probe_name(enum probe probe)
{
	static const char *const names[] = {
		[PROBE_VIP] = "vip",
		[PROBE_OWN] = "own",
		[PROBE_VIP_CLOSED] = "vip-closed-port",
		[PROBE_VIP_ECHO] = "vip-ping",
		[PROBE_OWN_ECHO] = "own-ping",
		[PROBE_TUNNEL_ECHO] = "tunnel-ping",
	};

	return (unsigned)probe < ARRAY_LEN(names) ? names[probe] : "?";
}

const char *
answer_name(enum answer answer)
{
	static const char *const names[] = {
		[ANSWER_NOT_PROBED] = "not-probed",
		[ANSWER_AWAITED] = "awaited",
		[ANSWER_SILENCE] = "silence",
		[ANSWER_SYN_ACK] = "syn-ack",
		[ANSWER_RESET] = "reset",
		[ANSWER_ECHO] = "echo",
		[ANSWER_DATA] = "data",
		[ANSWER_UNREACHABLE] = "unreachable",
		[ANSWER_BOUNCED] = "bounced",
	};

	return (unsigned)answer < ARRAY_LEN(names) ? names[answer] : "?";
}

const char *
proof_name(enum proof proof)
{
	static const char *const names[] = {
		[PROOF_NONE] = "none",
		[PROOF_NUMBER] = "number",
		[PROOF_NONCE] = "nonce",
		[PROOF_QUOTED] = "quoted",
		[PROOF_SENDER] = "sender",
	};

	return (unsigned)proof < ARRAY_LEN(names) ? names[proof] : "?";
}
