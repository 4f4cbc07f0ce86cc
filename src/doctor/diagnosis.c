/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "doctor/diagnosis.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "proto/packet.h"

/* Headers that the MSS leaves out of the MTU: RFC 6691 section 2, RFC 8200 section 8.3. */
#define V4_HEADERS 40
#define V6_HEADERS 60

static const char *const system_names[SYSTEMS] = { "Linux", "Windows", "FreeBSD", "OpenBSD", "NetBSD", "macOS",
	"illumos" };

/*
 * By the initial values of network stacks: a time to live of 128 (Windows), 255 (Solaris and old illumos) or 64 (all
 * others), and in SYN-ACKs without window scaling a window of 65535 (FreeBSD, macOS), 16384 (OpenBSD), 32768 (NetBSD)
 * or a multiple of the MSS (Linux, tcp_select_initial_window()).
 */
unsigned
system_guess(uint8_t hop_limit, uint16_t window, uint16_t mss)
{
	if (hop_limit > 128)
		return SYSTEM_ILLUMOS;
	if (hop_limit > 64)
		return SYSTEM_WINDOWS;
	if (window == 0)
		return SYSTEM_ANY & ~(unsigned)SYSTEM_WINDOWS;
	if (window == 65535)
		return SYSTEM_FREEBSD | SYSTEM_MACOS;
	if (window == 16384)
		return SYSTEM_OPENBSD;
	if (window == 32768)
		return SYSTEM_NETBSD;
	if (mss != 0 && window % mss == 0)
		return SYSTEM_LINUX;
	return SYSTEM_ANY & ~(unsigned)SYSTEM_WINDOWS;
}

unsigned
system_guess_evidence(const struct evidence *evidence)
{
	unsigned systems = SYSTEM_ANY;

	if (evidence == NULL)
		return systems;
	for (enum probe probe = 0; probe < PROBE_COUNT; probe++) {
		const struct reply *reply = &evidence->replies[probe];
		unsigned guess;

		/* A bounced frame has the director's own time to live, and ICMP errors are made with any. */
		if (reply->answer != ANSWER_SYN_ACK && reply->answer != ANSWER_RESET && reply->answer != ANSWER_ECHO &&
		    reply->answer != ANSWER_DATA)
			continue;
		guess = system_guess(reply->hop_limit, reply->answer == ANSWER_SYN_ACK ? reply->window : 0, reply->mss);
		if ((systems & guess) != 0)
			systems &= guess;
	}
	return systems;
}

const char *
system_text(unsigned systems, char text[SYSTEM_TEXT])
{
	size_t used = 0;

	if ((systems & SYSTEM_ANY) == SYSTEM_ANY || systems == 0) {
		snprintf(text, SYSTEM_TEXT, "any system");
		return text;
	}
	text[0] = '\0';
	for (unsigned i = 0; i < SYSTEMS && used < SYSTEM_TEXT; i++) {
		if ((systems & 1U << i) != 0)
			used += (size_t)snprintf(text + used, SYSTEM_TEXT - used, "%s%s", used == 0 ? "" : " or ",
			    system_names[i]);
	}
	return text;
}

/* The verdict of the VIP check as a diagnosis; DIAGNOSIS_COUNT: nothing is wrong, or there is no result. */
static enum diagnosis
diagnose_by_verdict(enum vipcheck_verdict verdict)
{
	switch (verdict) {
	case VIPCHECK_BOUNCED:
	case VIPCHECK_NO_ROUTE:
	case VIPCHECK_FORWARD_REJECTED:
	case VIPCHECK_ELSEWHERE:
		return DIAGNOSIS_VIP_MISSING_FORWARDS;
	case VIPCHECK_OWN_ONLY:
		return DIAGNOSIS_BOUND_TO_OWN;
	case VIPCHECK_NOT_LISTENING:
		return DIAGNOSIS_SERVICE_DOWN;
	case VIPCHECK_REJECTED:
		return DIAGNOSIS_FIREWALL_REJECTS;
	case VIPCHECK_FILTERED:
		return DIAGNOSIS_FIREWALL_DROPS;
	case VIPCHECK_LOST:
		return DIAGNOSIS_REPLY_LOST;
	case VIPCHECK_IGNORED:
		return DIAGNOSIS_VIP_IGNORED;
	case VIPCHECK_NO_DECAPSULATION:
		return DIAGNOSIS_NO_DECAPSULATION;
	case VIPCHECK_NO_TUNNEL_PORT:
		return DIAGNOSIS_NO_TUNNEL_PORT;
	case VIPCHECK_TUNNEL_BROKEN:
		return DIAGNOSIS_TUNNEL_BROKEN;
	case VIPCHECK_TUNNEL_SILENT:
		return DIAGNOSIS_TUNNEL_SILENT;
	case VIPCHECK_DSCP_IGNORED:
		return DIAGNOSIS_DSCP_IGNORED;
	case VIPCHECK_WRONG_SOURCE:
		return DIAGNOSIS_WRONG_SOURCE;
	case VIPCHECK_OTHER_MAC:
		return DIAGNOSIS_WRONG_CARD;
	case VIPCHECK_NO_CONTROL:
		return DIAGNOSIS_NO_CONTROL;
	case VIPCHECK_NO_SOURCE:
		return DIAGNOSIS_NO_SOURCE;
	case VIPCHECK_UNVERIFIED:
		return DIAGNOSIS_VIP_UNVERIFIED;
	case VIPCHECK_LOSSY:
	case VIPCHECK_NOT_CHECKED:
	case VIPCHECK_ACCEPTED:
	case VIPCHECK_VERDICT_COUNT:
		break;
	}
	return DIAGNOSIS_COUNT;
}

/* A server's MTU, from the MSS that it offers. */
static bool
diagnose_has_smaller_mtu(const struct diagnose_facts *facts)
{
	static const enum probe asked[] = { PROBE_VIP, PROBE_OWN };

	if (facts->evidence == NULL || facts->director_mtu == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		const struct reply *reply = &facts->evidence->replies[asked[i]];
		const uint32_t headers = reply->from.family == ADDR_IPV6 ? V6_HEADERS : V4_HEADERS;

		if (reply->answer == ANSWER_SYN_ACK && reply->mss != 0 && reply->mss + headers < facts->director_mtu)
			return true;
	}
	return false;
}

/*
 * The size of segments that the server offers to its clients, as it told the probe: with the headers they must fit the
 * tunnel, or each large request costs an ICMP error first.
 */
static bool
diagnose_lacks_advmss(const struct diagnose_facts *facts)
{
	const struct reply *reply = facts->evidence == NULL ? NULL : &facts->evidence->replies[PROBE_VIP];

	return reply != NULL && encap_is_tunnel((enum encap_method)facts->method) && reply->answer == ANSWER_SYN_ACK &&
	    reply->mss != 0 && facts->director_mtu != 0 && (uint32_t)reply->mss +
	    (reply->from.family == ADDR_IPV6 ? V6_HEADERS : V4_HEADERS) > facts->director_mtu;
}

static bool
diagnosis_announces(const struct diagnose_facts *facts)
{
	return facts->announced || (facts->evidence != NULL && facts->evidence->resolved_source &&
	    addr_equal(&facts->evidence->resolved_as, &facts->vip));
}

/* Initial times to live, of which a router takes one each: nearly all stacks begin with one of these. */
static bool
diagnose_has_passed_router(const struct reply *reply)
{
	const uint8_t hops = reply->hop_limit;

	return (hops >= 60 && hops < 64) || (hops >= 124 && hops < 128) || (hops >= 250 && hops < 255);
}

/* The host itself answers pings, while a port may lead on to a container, whose answers its host routes. */
static bool
diagnose_is_routed(const struct evidence *evidence)
{
	const struct reply *own, *ping;

	if (evidence == NULL)
		return false;
	own = &evidence->replies[PROBE_OWN];
	ping = &evidence->replies[PROBE_OWN_ECHO];
	if (ping->answer == ANSWER_ECHO)
		return diagnose_has_passed_router(ping);
	return (own->answer == ANSWER_SYN_ACK || own->answer == ANSWER_RESET) && diagnose_has_passed_router(own);
}

static enum diagnosis
diagnose_verdict(const struct diagnose_facts *facts, enum vipcheck_verdict verdict)
{
	const enum diagnosis diagnosis = diagnose_by_verdict(verdict);

	if (diagnosis == DIAGNOSIS_SERVICE_DOWN && facts->others_accepted)
		return DIAGNOSIS_PORT_CLOSED;
	/* It is the gateway that answered ARP, so nothing is known of the server. */
	if (diagnosis == DIAGNOSIS_NO_CONTROL && facts->method != ENCAP_MAC)
		return DIAGNOSIS_NO_ANSWER;
	return diagnosis;
}

static enum diagnosis
diagnose_local(enum server_local local)
{
	switch (local) {
	case LOCAL_READY:
		break;
	case LOCAL_UNSUPPORTED:
		return DIAGNOSIS_LOCAL_UNSUPPORTED;
	case LOCAL_NOT_OWN:
		return DIAGNOSIS_LOCAL_NOT_OWN;
	case LOCAL_NO_VIP:
		return DIAGNOSIS_LOCAL_NO_VIP;
	case LOCAL_VIP_EXPOSED:
		return DIAGNOSIS_LOCAL_VIP_EXPOSED;
	case LOCAL_ANSWERS_ARP:
		return DIAGNOSIS_LOCAL_ANSWERS_ARP;
	case LOCAL_REVERSE_PATH:
		return DIAGNOSIS_LOCAL_RP_FILTER;
	case LOCAL_NOT_WITHHELD:
		return DIAGNOSIS_LOCAL_NOT_WITHHELD;
	}
	return DIAGNOSIS_COUNT;
}

/* The cause of everything else that was found about the server. DIAGNOSIS_COUNT: there is none. */
static enum diagnosis
diagnose_absence(const struct diagnose_facts *facts, enum vipcheck_verdict verdict)
{
	/* A server that needs no ARP answer (`mac` is configured) proves by the VIP that it is there. */
	const bool absent = mac_is_zero(&facts->mac) || (facts->silent && verdict != VIPCHECK_ACCEPTED);

	if (facts->local != LOCAL_READY)
		return diagnose_local(facts->local);
	if (facts->is_director)
		return DIAGNOSIS_IS_DIRECTOR;
	if (facts->other_network && verdict != VIPCHECK_ACCEPTED)
		return DIAGNOSIS_OTHER_NETWORK;
	if (absent)
		return addr_is_set(&facts->gateway_address) ? DIAGNOSIS_GATEWAY_UNREACHABLE : DIAGNOSIS_UNREACHABLE;
	if (facts->nameless && !facts->mask_answered && verdict != VIPCHECK_ACCEPTED)
		return DIAGNOSIS_TAKES_NETWORK;
	return DIAGNOSIS_COUNT;
}

size_t
diagnose(const struct diagnose_facts *facts, enum diagnosis found[DIAGNOSIS_COUNT])
{
	const enum vipcheck_verdict verdict = facts->evidence == NULL ? VIPCHECK_NOT_CHECKED : facts->verdict;
	const enum diagnosis absence = diagnose_absence(facts, verdict);
	bool is[DIAGNOSIS_COUNT + 1] = { false };
	size_t count = 0;

	is[absence] = true;
	is[DIAGNOSIS_FOREIGN_OWNER] = !mac_is_zero(&facts->foreign);
	is[DIAGNOSIS_DNS_HAS_VIP] = facts->dns;
	is[DIAGNOSIS_HANDSHAKES_LOST] = facts->lost == LOST_HANDSHAKES;
	is[DIAGNOSIS_ANSWERS_LOST] = facts->lost == LOST_ANSWERS;
	is[DIAGNOSIS_ALL_LOST] = facts->lost == LOST_ALL;
	if (absence == DIAGNOSIS_COUNT) {
		/* By other methods than mac a router on the way is no fault. */
		const bool routed = facts->method == ENCAP_MAC && diagnose_is_routed(facts->evidence);

		is[routed ? DIAGNOSIS_PROXY_ARP : diagnose_verdict(facts, verdict)] = true;
		is[DIAGNOSIS_SAME_MACHINE] = facts->shares_mac && verdict == VIPCHECK_ACCEPTED;
		is[DIAGNOSIS_NOT_ADJACENT] = facts->shares_mac && verdict != VIPCHECK_ACCEPTED && !routed;
		is[DIAGNOSIS_VIP_MISSING_FORWARDS] |= facts->bounced && !routed;
		is[DIAGNOSIS_DIRECTOR_IS_GATEWAY] = facts->gateway && !facts->forwards;
		is[DIAGNOSIS_ANSWERS_PASS_DIRECTOR] = facts->gateway && facts->forwards;
		is[DIAGNOSIS_NO_ADVMSS] = diagnose_lacks_advmss(facts);
		is[DIAGNOSIS_MTU_SMALLER] = diagnose_has_smaller_mtu(facts);
		is[DIAGNOSIS_SHORT_MASK] = facts->mask_answered && !routed;
		is[DIAGNOSIS_OWN_FILTERED] = facts->checks_silent && verdict == VIPCHECK_ACCEPTED;
	}
	if (absence != DIAGNOSIS_IS_DIRECTOR) {
		is[DIAGNOSIS_DUPLICATE_ADDRESS] = !mac_is_zero(&facts->twin);
		is[DIAGNOSIS_ANSWERS_ARP] = facts->arp_unicast;
		is[DIAGNOSIS_ANSWERED_FOR_SERVER] = facts->arp_broadcast && !facts->arp_unicast;
		is[DIAGNOSIS_ANNOUNCES] = diagnosis_announces(facts);
	}
	for (enum diagnosis diagnosis = 0; diagnosis < DIAGNOSIS_COUNT; diagnosis++)
		if (is[diagnosis])
			found[count++] = diagnosis;
	return count;
}

enum diagnosis
diagnose_check(const bool found[DIAGNOSIS_COUNT], enum health_reason reason, bool accepted)
{
	/* What leaves no check a chance to succeed. */
	static const enum diagnosis always[] = { DIAGNOSIS_LOCAL_UNSUPPORTED, DIAGNOSIS_LOCAL_NOT_OWN,
		DIAGNOSIS_IS_DIRECTOR, DIAGNOSIS_OTHER_NETWORK, DIAGNOSIS_UNREACHABLE,
		DIAGNOSIS_PROXY_ARP, DIAGNOSIS_TAKES_NETWORK, DIAGNOSIS_DUPLICATE_ADDRESS, DIAGNOSIS_SHORT_MASK };
	const bool silent = reason == HEALTH_REASON_TIMEOUT || reason == HEALTH_REASON_UNREACHABLE;

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (found[always[i]])
			return DIAGNOSIS_SERVER_DOWN;
	if (silent && (found[DIAGNOSIS_NO_CONTROL] || found[DIAGNOSIS_NO_ANSWER] || found[DIAGNOSIS_OWN_FILTERED]))
		return DIAGNOSIS_SERVER_DOWN;
	if (reason == HEALTH_REASON_REFUSED && (found[DIAGNOSIS_SERVICE_DOWN] || found[DIAGNOSIS_PORT_CLOSED]))
		return DIAGNOSIS_SERVER_DOWN;
	return reason == HEALTH_REASON_REFUSED && accepted ? DIAGNOSIS_OWN_REFUSED : DIAGNOSIS_CHECK_FAILED;
}

enum diagnosis
diagnose_conflict(enum conflict_kind kind, bool server)
{
	if (!server)
		return DIAGNOSIS_FOREIGN_OWNER;
	switch (kind) {
	case CONFLICT_ANSWERS:
		return DIAGNOSIS_ANSWERS_ARP;
	case CONFLICT_SENDS_BACK:
		return DIAGNOSIS_VIP_MISSING_FORWARDS;
	case CONFLICT_ANNOUNCES:
	case CONFLICT_REQUESTS_AS:
	case CONFLICT_KIND_COUNT:
		break;
	}
	return DIAGNOSIS_ANNOUNCES;
}

bool
diagnosis_is_of_port(enum diagnosis diagnosis)
{
	switch ((int)diagnosis) {
	case DIAGNOSIS_BOUND_TO_OWN:
	case DIAGNOSIS_SERVICE_DOWN:
	case DIAGNOSIS_PORT_CLOSED:
	case DIAGNOSIS_FIREWALL_REJECTS:
	case DIAGNOSIS_FIREWALL_DROPS:
	case DIAGNOSIS_WRONG_SOURCE:
		return true;
	default: /* it is about the VIP, or the machine */
		return false;
	}
}

static const struct finding {
	const char *name;
	enum severity severity;
	const char *sentence;
	const char *meaning;
} findings[] = {
#define X(id, name, severity, sentence, meaning) { name, SEVERITY_##severity, sentence, meaning },
	DIRECTOR_PROBLEMS(X)
	HOST_FINDINGS(X)
	SERVER_FINDINGS(X)
#undef X
};

const char *
diagnosis_name(enum diagnosis diagnosis)
{
	return (unsigned)diagnosis < ARRAY_LEN(findings) ? findings[diagnosis].name : "?";
}

enum severity
diagnosis_severity(enum diagnosis diagnosis)
{
	return (unsigned)diagnosis < ARRAY_LEN(findings) ? findings[diagnosis].severity : SEVERITY_NOTE;
}

const char *
diagnosis_sentence(enum diagnosis diagnosis)
{
	return (unsigned)diagnosis < ARRAY_LEN(findings) ? findings[diagnosis].sentence : "?";
}

const char *
diagnosis_meaning(enum diagnosis diagnosis)
{
	return (unsigned)diagnosis < ARRAY_LEN(findings) ? findings[diagnosis].meaning : "?";
}

const char *
severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_NOTE:
		return "note";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_ERROR:
		return "error";
	}
	return "?";
}
