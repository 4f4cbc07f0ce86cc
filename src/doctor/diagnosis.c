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
 * By what the stacks begin with: a time to live of 128 (Windows), 255 (Solaris and old illumos) or 64 (all others), and
 * in SYN-ACKs without window scaling a window of 65535 (FreeBSD, macOS), 16384 (OpenBSD), 32768 (NetBSD) or a multiple
 * of the MSS (Linux, tcp_select_initial_window()).
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
	for (enum question question = 0; question < QUESTION_COUNT; question++) {
		const struct reply *reply = &evidence->replies[question];
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

/* What the path's verdict says, as a diagnosis; DIAGNOSIS_COUNT: nothing is wrong, or nothing was asked. */
static enum diagnosis
of_verdict(enum path_verdict verdict)
{
	switch (verdict) {
	case PATH_BOUNCED:
	case PATH_NO_ROUTE:
	case PATH_FORWARD_REJECTED:
	case PATH_ELSEWHERE:
		return DIAGNOSIS_VIP_MISSING_FORWARDS;
	case PATH_OWN_ONLY:
		return DIAGNOSIS_BOUND_TO_OWN;
	case PATH_NOT_LISTENING:
		return DIAGNOSIS_SERVICE_DOWN;
	case PATH_REJECTED:
		return DIAGNOSIS_FIREWALL_REJECTS;
	case PATH_FILTERED:
		return DIAGNOSIS_FIREWALL_DROPS;
	case PATH_LOST:
		return DIAGNOSIS_REPLY_LOST;
	case PATH_IGNORED:
		return DIAGNOSIS_VIP_IGNORED;
	case PATH_WRONG_SOURCE:
		return DIAGNOSIS_WRONG_SOURCE;
	case PATH_OTHER_MAC:
		return DIAGNOSIS_WRONG_CARD;
	case PATH_NO_CONTROL:
		return DIAGNOSIS_NO_CONTROL;
	case PATH_NO_SOURCE:
		return DIAGNOSIS_NO_SOURCE;
	case PATH_LOSSY:
	case PATH_NOT_ASKED:
	case PATH_ACCEPTED:
	case PATH_VERDICT_COUNT:
		break;
	}
	return DIAGNOSIS_COUNT;
}

/* A server tells its MTU by the MSS that it offers. */
static bool
has_smaller_mtu(const struct diagnose_facts *facts)
{
	static const enum question asked[] = { ASK_VIP, ASK_OWN };

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

static bool
announces(const struct diagnose_facts *facts)
{
	return facts->announced || (facts->evidence != NULL && facts->evidence->asked_for_us &&
	    addr_equal(&facts->evidence->asked_as, &facts->vip));
}

size_t
diagnose(const struct diagnose_facts *facts, enum diagnosis found[DIAGNOSIS_COUNT])
{
	const enum path_verdict verdict = facts->evidence == NULL ? PATH_NOT_ASKED : facts->verdict;
	const bool resolved = !mac_is_zero(&facts->mac);
	bool is[DIAGNOSIS_COUNT + 1] = { false };
	size_t count = 0;

	if (!resolved)
		is[DIAGNOSIS_UNREACHABLE] = true;
	else
		is[of_verdict(verdict)] = true;
	is[DIAGNOSIS_DUPLICATE_ADDRESS] = !mac_is_zero(&facts->twin);
	is[DIAGNOSIS_NOT_ADJACENT] = resolved && facts->shares_mac;
	if (facts->bounced)
		is[DIAGNOSIS_VIP_MISSING_FORWARDS] = true;
	if (facts->nameless && !facts->mask_answered)
		is[DIAGNOSIS_NO_CONTROL] = true;
	is[DIAGNOSIS_DIRECTOR_IS_GATEWAY] = facts->gateway;
	is[DIAGNOSIS_MTU_SMALLER] = has_smaller_mtu(facts);
	is[DIAGNOSIS_ANSWERS_ARP] = facts->arp_unicast;
	is[DIAGNOSIS_ANSWERED_FOR_SERVER] = facts->arp_broadcast && !facts->arp_unicast;
	is[DIAGNOSIS_ANNOUNCES] = announces(facts);
	is[DIAGNOSIS_FOREIGN_OWNER] = !mac_is_zero(&facts->foreign);
	is[DIAGNOSIS_SHORT_MASK] = facts->mask_answered;
	is[DIAGNOSIS_DNS_HAS_VIP] = facts->dns;
	is[DIAGNOSIS_OWN_FILTERED] = facts->checks_silent && verdict == PATH_ACCEPTED;
	for (enum diagnosis diagnosis = 0; diagnosis < DIAGNOSIS_COUNT; diagnosis++)
		if (is[diagnosis])
			found[count++] = diagnosis;
	return count;
}

const char *
diagnosis_name(enum diagnosis diagnosis)
{
	static const char *const names[] = {
#define X(id, name, sentence, meaning) name,
		DIAGNOSES(X)
#undef X
	};

	return (unsigned)diagnosis < ARRAY_LEN(names) ? names[diagnosis] : "?";
}

const char *
diagnosis_sentence(enum diagnosis diagnosis)
{
	static const char *const sentences[] = {
#define X(id, name, sentence, meaning) sentence,
		DIAGNOSES(X)
#undef X
	};

	return (unsigned)diagnosis < ARRAY_LEN(sentences) ? sentences[diagnosis] : "?";
}

const char *
diagnosis_meaning(enum diagnosis diagnosis)
{
	static const char *const meanings[] = {
#define X(id, name, sentence, meaning) meaning,
		DIAGNOSES(X)
#undef X
	};

	return (unsigned)diagnosis < ARRAY_LEN(meanings) ? meanings[diagnosis] : "?";
}
