/* SPDX-License-Identifier: ISC */
/* The truth table row by row: evidence in, diagnosis out; and remedies for each. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "doctor/diagnosis.h"
#include "proto/packet.h"
#include "suites.h"

static const struct mac server_mac = { { 2, 0, 0, 0, 0, 0x11 } }, other_mac = { { 2, 0, 0, 0, 0, 0x99 } };

static struct addr
at(const char *text)
{
	struct addr addr = { 0 };

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

/* A healthy server: what came to each question, before a row of the table spoils some of it. */
static struct evidence evidence;
static struct diagnose_facts facts;

static void
answer(enum probe question, enum answer kind, const char *from)
{
	struct reply *reply = &evidence.replies[question];

	memset(reply, 0, sizeof(*reply));
	reply->answer = kind;
	reply->asked = 1;
	if (from == NULL)
		return;
	reply->from = at(from);
	reply->mac = server_mac;
	reply->hop_limit = 64;
	if (kind == ANSWER_SYN_ACK) {
		reply->mss = 1460;
		reply->window = 64240;
	}
}

static void
unreachable(enum probe question, const char *from, uint8_t code)
{
	answer(question, ANSWER_UNREACHABLE, from);
	evidence.replies[question].icmp_type = 3;
	evidence.replies[question].icmp_code = code;
}

#define VIP "192.0.2.10"
#define OWN "192.0.2.11"

static void
setup(void)
{
	memset(&evidence, 0, sizeof(evidence));
	memset(&facts, 0, sizeof(facts));
	evidence.source = at("192.0.2.250");
	evidence.own_source = at("192.0.2.250");
	evidence.server_mac = server_mac;
	answer(PROBE_VIP, ANSWER_SYN_ACK, VIP);
	facts.vip = at(VIP);
	facts.own = at(OWN);
	facts.mac = server_mac;
	facts.director = at("192.0.2.1");
	facts.director_mtu = 1500;
	facts.protocol = PROTOCOL_TCP;
	facts.port = 80;
	facts.evidence = &evidence;
}

/* Silence from the VIP, answers from the server's own address. */
static void
vip_silent(void)
{
	answer(PROBE_VIP, ANSWER_SILENCE, NULL);
	answer(PROBE_OWN, ANSWER_SYN_ACK, OWN);
	answer(PROBE_VIP_CLOSED, ANSWER_SILENCE, NULL);
	answer(PROBE_VIP_ECHO, ANSWER_SILENCE, NULL);
	answer(PROBE_OWN_ECHO, ANSWER_ECHO, OWN);
}

static void
row1(void)
{
	facts.mac = mac_zero;
	facts.evidence = NULL;
}

static void
handshakes_lost(void)
{
	facts.lost = LOST_HANDSHAKES;
}

static void
answers_lost(void)
{
	facts.lost = LOST_ANSWERS;
}

static void
all_lost(void)
{
	facts.lost = LOST_ALL;
}

static void
is_director(void)
{
	row1();
	facts.is_director = true;
	facts.gateway = true;
}

static void
other_network(void)
{
	vip_silent();
	/* It answers ARP, which asks for no route. */
	answer(PROBE_OWN, ANSWER_SILENCE, NULL);
	answer(PROBE_OWN_ECHO, ANSWER_SILENCE, NULL);
	facts.other_network = true;
}

/* The neighbor table still has its MAC address, ARP is not answered now: it has just been switched off. */
static void
just_switched_off(void)
{
	vip_silent();
	answer(PROBE_OWN, ANSWER_SILENCE, NULL);
	answer(PROBE_OWN_ECHO, ANSWER_SILENCE, NULL);
	facts.silent = true;
	facts.checks_silent = true;
}

/* A router answers for every address, and its answers are one hop older. */
static void
row2(void)
{
	vip_silent();
	answer(PROBE_VIP, ANSWER_BOUNCED, VIP);
	evidence.replies[PROBE_OWN].hop_limit = evidence.replies[PROBE_OWN_ECHO].hop_limit = 63;
	facts.shares_mac = true;
	facts.mask_answered = true;
}

/* A port that leads on to a container: its host routes these answers, and answers pings itself. */
static void
row15_container(void)
{
	vip_silent();
	evidence.replies[PROBE_OWN].hop_limit = 63;
}

/* A router that answers no pings for the server: there is only the handshake to judge by. */
static void
row2_no_ping(void)
{
	row2();
	evidence.replies[PROBE_OWN_ECHO].answer = ANSWER_SILENCE;
}

static void
same_machine(void)
{
	facts.shares_mac = true;
}

/* Another server's MAC address, and nothing is known of the VIP there. */
static void
not_adjacent(void)
{
	facts.shares_mac = true;
	facts.evidence = NULL;
}

static void
port_closed(void)
{
	answer(PROBE_VIP, ANSWER_RESET, VIP);
	answer(PROBE_OWN, ANSWER_RESET, OWN);
	facts.others_accepted = true;
}

static void
router_forwards(void)
{
	facts.gateway = true;
	facts.forwards = true;
}

static void
row3(void)
{
	vip_silent();
	answer(PROBE_VIP, ANSWER_BOUNCED, VIP);
}

static void
row3_redirect(void)
{
	vip_silent();
	evidence.redirected = true;
}

static void
row3_watched(void)
{
	facts.bounced = true;
}

static void
row4(void)
{
	vip_silent();
	unreachable(PROBE_VIP, OWN, 1);
}

static void
row5(void)
{
	vip_silent();
	unreachable(PROBE_VIP, OWN, 13);
}

static void
row7(void)
{
	evidence.replies[PROBE_VIP].mac = other_mac;
}

static void
row8(void)
{
	vip_silent();
	answer(PROBE_VIP, ANSWER_RESET, VIP);
}

static void
row9(void)
{
	answer(PROBE_VIP, ANSWER_RESET, VIP);
	answer(PROBE_OWN, ANSWER_RESET, OWN);
}

static void
row10(void)
{
	answer(PROBE_VIP, ANSWER_RESET, VIP);
	answer(PROBE_OWN, ANSWER_SILENCE, NULL);
}

static void
row11(void)
{
	vip_silent();
	unreachable(PROBE_VIP, VIP, 10);
}

static void
row12(void)
{
	vip_silent();
	answer(PROBE_VIP_CLOSED, ANSWER_RESET, VIP);
}

static void
row13(void)
{
	vip_silent();
	answer(PROBE_VIP_ECHO, ANSWER_ECHO, VIP);
}

static void
row14(void)
{
	vip_silent();
	evidence.resolved_source = true;
	evidence.resolved_as = at(OWN);
}

static void
row15(void)
{
	vip_silent();
}

static void
row16(void)
{
	vip_silent();
	answer(PROBE_OWN, ANSWER_SILENCE, NULL);
	answer(PROBE_OWN_ECHO, ANSWER_SILENCE, NULL);
}

static void
row_unverified(void)
{
	vip_silent();
	facts.verdict = VIPCHECK_UNVERIFIED;
}

static void
row17(void)
{
	facts.checks_silent = true;
}

static void
row18(void)
{
	facts.protocol = PROTOCOL_UDP;
	answer(PROBE_VIP, ANSWER_DATA, OWN);
}

static void
row20(void)
{
	facts.gateway = true;
}

static void
row21(void)
{
	facts.director_mtu = 9000;
}

static void
a1(void)
{
	facts.arp_broadcast = facts.arp_unicast = true;
}

static void
a2(void)
{
	facts.arp_broadcast = true;
}

static void
a3(void)
{
	facts.foreign = other_mac;
}

static void
a4(void)
{
	evidence.resolved_source = true;
	evidence.resolved_as = at(VIP);
}

static void
a5(void)
{
	facts.announced = true;
}

static void
a6(void)
{
	facts.mask_answered = true;
}

static void
q1(void)
{
	facts.dns = true;
}

static void
twin(void)
{
	facts.twin = other_mac;
}

static void
no_source(void)
{
	memset(&evidence.source, 0, sizeof(evidence.source));
}

static void
nameless(void)
{
	facts.nameless = true;
	facts.evidence = NULL;
}

/* The probe that went by that method was answered with an ICMP error about the tunnel's packet. */
static void
by_cause(enum encap_method method, enum icmp_cause cause)
{
	answer(PROBE_VIP, ANSWER_UNREACHABLE, NULL);
	evidence.replies[PROBE_VIP].cause = cause;
	evidence.method = facts.method = (uint8_t)method;
}

static void
no_decapsulation(void)
{
	by_cause(ENCAP_IPIP, ICMP_CAUSE_NO_PROTOCOL);
}

static void
no_tunnel_port(void)
{
	by_cause(ENCAP_GUE, ICMP_CAUSE_NO_PORT);
}

static void
tunnel_broken(void)
{
	by_cause(ENCAP_GRE, ICMP_CAUSE_NO_WAY);
}

static void
tunnel_silent(void)
{
	vip_silent();
	answer(PROBE_OWN_ECHO, ANSWER_ECHO, OWN);
	answer(PROBE_TUNNEL_ECHO, ANSWER_SILENCE, NULL);
	evidence.method = facts.method = ENCAP_IPIP;
}

static void
dscp_ignored(void)
{
	answer(PROBE_VIP, ANSWER_SYN_ACK, OWN);
	evidence.method = facts.method = ENCAP_DSCP;
}

static void
routed_and_silent(void)
{
	row16();
	evidence.method = facts.method = ENCAP_IPIP;
}

static void
no_advmss(void)
{
	facts.method = ENCAP_IPIP;
	facts.director_mtu = 1480;
	evidence.replies[PROBE_VIP].mss = 1460;
}

static void
gateway_unreachable(void)
{
	row1();
	facts.gateway_address = facts.director;
	facts.gateway_address.family = ADDR_IPV4;
}

#define LOCAL_ROW(name, value) \
	static void \
	name(void) \
	{ \
		facts.local = value; \
	}

LOCAL_ROW(local_unsupported, LOCAL_UNSUPPORTED)
LOCAL_ROW(local_not_own, LOCAL_NOT_OWN)
LOCAL_ROW(local_exposed, LOCAL_VIP_EXPOSED)
LOCAL_ROW(local_answers_arp, LOCAL_ANSWERS_ARP)
LOCAL_ROW(local_rp_filter, LOCAL_REVERSE_PATH)
LOCAL_ROW(local_not_withheld, LOCAL_NOT_WITHHELD)

static void
local_without_vip(void)
{
	facts.local = LOCAL_NO_VIP;
	facts.is_director = true;
	facts.evidence = NULL;
}

struct row {
	void (*spoil)(void);
	enum diagnosis diagnosis;
};

static const struct row rows[] = {
	{ row1, DIAGNOSIS_UNREACHABLE },
	{ handshakes_lost, DIAGNOSIS_HANDSHAKES_LOST },
	{ answers_lost, DIAGNOSIS_ANSWERS_LOST },
	{ all_lost, DIAGNOSIS_ALL_LOST },
	{ is_director, DIAGNOSIS_IS_DIRECTOR },
	{ local_without_vip, DIAGNOSIS_LOCAL_NO_VIP },
	{ local_unsupported, DIAGNOSIS_LOCAL_UNSUPPORTED },
	{ local_not_own, DIAGNOSIS_LOCAL_NOT_OWN },
	{ local_exposed, DIAGNOSIS_LOCAL_VIP_EXPOSED },
	{ local_answers_arp, DIAGNOSIS_LOCAL_ANSWERS_ARP },
	{ local_rp_filter, DIAGNOSIS_LOCAL_RP_FILTER },
	{ local_not_withheld, DIAGNOSIS_LOCAL_NOT_WITHHELD },
	{ gateway_unreachable, DIAGNOSIS_GATEWAY_UNREACHABLE },
	{ no_decapsulation, DIAGNOSIS_NO_DECAPSULATION },
	{ no_tunnel_port, DIAGNOSIS_NO_TUNNEL_PORT },
	{ tunnel_broken, DIAGNOSIS_TUNNEL_BROKEN },
	{ tunnel_silent, DIAGNOSIS_TUNNEL_SILENT },
	{ dscp_ignored, DIAGNOSIS_DSCP_IGNORED },
	{ routed_and_silent, DIAGNOSIS_NO_ANSWER },
	{ no_advmss, DIAGNOSIS_NO_ADVMSS },
	{ other_network, DIAGNOSIS_OTHER_NETWORK },
	{ just_switched_off, DIAGNOSIS_UNREACHABLE },
	{ row2, DIAGNOSIS_PROXY_ARP },
	{ row2_no_ping, DIAGNOSIS_PROXY_ARP },
	{ not_adjacent, DIAGNOSIS_NOT_ADJACENT },
	{ same_machine, DIAGNOSIS_SAME_MACHINE },
	{ port_closed, DIAGNOSIS_PORT_CLOSED },
	{ router_forwards, DIAGNOSIS_ANSWERS_PASS_DIRECTOR },
	{ row3, DIAGNOSIS_VIP_MISSING_FORWARDS },
	{ row3_redirect, DIAGNOSIS_VIP_MISSING_FORWARDS },
	{ row3_watched, DIAGNOSIS_VIP_MISSING_FORWARDS },
	{ row4, DIAGNOSIS_VIP_MISSING_FORWARDS },
	{ row5, DIAGNOSIS_VIP_MISSING_FORWARDS },
	{ row7, DIAGNOSIS_WRONG_CARD },
	{ row8, DIAGNOSIS_BOUND_TO_OWN },
	{ row9, DIAGNOSIS_SERVICE_DOWN },
	{ row10, DIAGNOSIS_SERVICE_DOWN },
	{ row11, DIAGNOSIS_FIREWALL_REJECTS },
	{ row12, DIAGNOSIS_FIREWALL_DROPS },
	{ row13, DIAGNOSIS_FIREWALL_DROPS },
	{ row14, DIAGNOSIS_REPLY_LOST },
	{ row15, DIAGNOSIS_VIP_IGNORED },
	{ row15_container, DIAGNOSIS_VIP_IGNORED },
	{ row16, DIAGNOSIS_NO_CONTROL },
	{ row_unverified, DIAGNOSIS_VIP_UNVERIFIED },
	{ row17, DIAGNOSIS_OWN_FILTERED },
	{ row18, DIAGNOSIS_WRONG_SOURCE },
	{ row20, DIAGNOSIS_DIRECTOR_IS_GATEWAY },
	{ row21, DIAGNOSIS_MTU_SMALLER },
	{ a1, DIAGNOSIS_ANSWERS_ARP },
	{ a2, DIAGNOSIS_ANSWERED_FOR_SERVER },
	{ a3, DIAGNOSIS_FOREIGN_OWNER },
	{ a4, DIAGNOSIS_ANNOUNCES },
	{ a5, DIAGNOSIS_ANNOUNCES },
	{ a6, DIAGNOSIS_SHORT_MASK },
	{ q1, DIAGNOSIS_DNS_HAS_VIP },
	{ twin, DIAGNOSIS_DUPLICATE_ADDRESS },
	{ no_source, DIAGNOSIS_NO_SOURCE },
	{ nameless, DIAGNOSIS_TAKES_NETWORK },
};

static size_t
examine(enum diagnosis found[DIAGNOSIS_COUNT])
{
	/* This one is of several rounds, not of the evidence of one. */
	if (facts.verdict != VIPCHECK_UNVERIFIED)
		facts.verdict = vipcheck_judge(&evidence, facts.protocol, &facts.vip, &facts.own);
	return diagnose(&facts, found);
}

START_TEST(each_row_has_its_diagnosis)
{
	enum diagnosis found[DIAGNOSIS_COUNT];

	rows[_i].spoil();
	ck_assert_uint_eq(examine(found), 1);
	ck_assert_msg(found[0] == rows[_i].diagnosis, "expected %s, got %s", diagnosis_name(rows[_i].diagnosis),
	    diagnosis_name(found[0]));
}
END_TEST

START_TEST(all_good_is_nothing)
{
	enum diagnosis found[DIAGNOSIS_COUNT];

	ck_assert_uint_eq(examine(found), 0);
	/* Also for a healthy UDP service, and for one that nobody asks about. */
	facts.protocol = PROTOCOL_UDP;
	answer(PROBE_VIP, ANSWER_DATA, VIP);
	ck_assert_uint_eq(examine(found), 0);
	facts.evidence = NULL;
	ck_assert_uint_eq(examine(found), 0);
}
END_TEST

START_TEST(several_are_told_together)
{
	enum diagnosis found[DIAGNOSIS_COUNT];

	row15();
	a1();
	q1();
	ck_assert_uint_eq(examine(found), 3);
	ck_assert_int_eq(found[0], DIAGNOSIS_VIP_IGNORED);
	ck_assert_int_eq(found[1], DIAGNOSIS_ANSWERS_ARP);
	ck_assert_int_eq(found[2], DIAGNOSIS_DNS_HAS_VIP);
}
END_TEST

static const struct {
	enum diagnosis found; /* DIAGNOSIS_COUNT: nothing */
	enum health_reason reason;
	bool accepted;
	enum diagnosis diagnosis;
} check_rows[] = {
	{ DIAGNOSIS_COUNT, HEALTH_REASON_STATUS, true, DIAGNOSIS_CHECK_FAILED },
	{ DIAGNOSIS_COUNT, HEALTH_REASON_REFUSED, true, DIAGNOSIS_OWN_REFUSED },
	{ DIAGNOSIS_COUNT, HEALTH_REASON_REFUSED, false, DIAGNOSIS_CHECK_FAILED },
	{ DIAGNOSIS_COUNT, HEALTH_REASON_TIMEOUT, true, DIAGNOSIS_CHECK_FAILED },
	{ DIAGNOSIS_UNREACHABLE, HEALTH_REASON_TIMEOUT, false, DIAGNOSIS_SERVER_DOWN },
	{ DIAGNOSIS_IS_DIRECTOR, HEALTH_REASON_REFUSED, false, DIAGNOSIS_SERVER_DOWN },
	{ DIAGNOSIS_NO_CONTROL, HEALTH_REASON_TIMEOUT, false, DIAGNOSIS_SERVER_DOWN },
	{ DIAGNOSIS_NO_CONTROL, HEALTH_REASON_STATUS, false, DIAGNOSIS_CHECK_FAILED },
	{ DIAGNOSIS_NO_ANSWER, HEALTH_REASON_TIMEOUT, false, DIAGNOSIS_SERVER_DOWN },
	{ DIAGNOSIS_SERVICE_DOWN, HEALTH_REASON_REFUSED, false, DIAGNOSIS_SERVER_DOWN },
	{ DIAGNOSIS_SERVICE_DOWN, HEALTH_REASON_SCRIPT, false, DIAGNOSIS_CHECK_FAILED },
	{ DIAGNOSIS_OWN_FILTERED, HEALTH_REASON_TIMEOUT, true, DIAGNOSIS_SERVER_DOWN },
	{ DIAGNOSIS_ANSWERS_ARP, HEALTH_REASON_STATUS, true, DIAGNOSIS_CHECK_FAILED },
};

/* A check that fails is said unless what was found explains it. */
START_TEST(each_failed_check_has_its_diagnosis)
{
	bool found[DIAGNOSIS_COUNT + 1] = { false };

	found[check_rows[_i].found] = true;
	ck_assert_int_eq(diagnose_check(found, check_rows[_i].reason, check_rows[_i].accepted),
	    check_rows[_i].diagnosis);
}
END_TEST

START_TEST(each_row_was_tested)
{
	bool seen[DIAGNOSIS_COUNT] = { false };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		seen[rows[i].diagnosis] = true;
	for (size_t i = 0; i < ARRAY_LEN(check_rows); i++)
		seen[check_rows[i].diagnosis] = true;
	/* The report adds it where nothing else was found: tests/unit/ctl/test_doctor_report.c. */
	seen[DIAGNOSIS_PORT_OUT] = true;
	for (enum diagnosis diagnosis = DIAGNOSIS_SERVER_FIRST; diagnosis < DIAGNOSIS_COUNT; diagnosis++)
		ck_assert_msg(seen[diagnosis], "no test of %s", diagnosis_name(diagnosis));
}
END_TEST

/* --- systems --- */

struct look {
	uint8_t hop_limit;
	uint16_t window;
	uint16_t mss;
	unsigned systems;
};

static const struct look looks[] = {
	{ 128, 8192, 1460, SYSTEM_WINDOWS },
	{ 127, 65535, 1460, SYSTEM_WINDOWS },
	{ 64, 64240, 1460, SYSTEM_LINUX },
	{ 64, 65535, 1460, SYSTEM_FREEBSD | SYSTEM_MACOS },
	{ 64, 16384, 1460, SYSTEM_OPENBSD },
	{ 64, 32768, 1460, SYSTEM_NETBSD },
	{ 255, 0, 0, SYSTEM_ILLUMOS },
	{ 64, 0, 0, SYSTEM_ANY & ~(unsigned)SYSTEM_WINDOWS },
};

START_TEST(systems_are_guessed)
{
	ck_assert_uint_eq(system_guess(looks[_i].hop_limit, looks[_i].window, looks[_i].mss), looks[_i].systems);
}
END_TEST

START_TEST(all_answers_count)
{
	char text[SYSTEM_TEXT];

	row15();
	ck_assert_uint_eq(system_guess_evidence(&evidence), SYSTEM_LINUX);
	ck_assert_str_eq(system_text(SYSTEM_LINUX | SYSTEM_NETBSD, text), "Linux or NetBSD");
	ck_assert_str_eq(system_text(SYSTEM_ANY, text), "any system");
	ck_assert_uint_eq(system_guess_evidence(NULL), SYSTEM_ANY);
	/* Nothing of a frame that came back, nor of who is silent. */
	row16();
	answer(PROBE_VIP, ANSWER_BOUNCED, VIP);
	evidence.replies[PROBE_VIP].hop_limit = 128;
	ck_assert_uint_eq(system_guess_evidence(&evidence), SYSTEM_ANY);
}
END_TEST

/* --- remedies --- */

static void
check_filled(const char *template)
{
	char text[REMEDY_TEXT];

	if (template == NULL)
		return;
	remedy_fill(template, &facts, text);
	ck_assert_uint_lt(strlen(text) + 1, REMEDY_TEXT);
	/* BIND's own braces have blanks beside them. */
	for (const char *brace = strchr(text, '{'); brace != NULL; brace = strchr(brace + 1, '{'))
		ck_assert_msg(brace[1] == ' ', "not filled in: %s", brace);
}

START_TEST(every_diagnosis_can_be_mended_everywhere)
{
	if (_i == 1)
		facts.vip = at("2001:db8::10");
	for (enum diagnosis diagnosis = DIAGNOSIS_SERVER_FIRST; diagnosis < DIAGNOSIS_COUNT; diagnosis++) {
		/* What Windows alone, or all but it, can have, has no cure elsewhere. */
		for (unsigned i = 0; i < SYSTEMS; i++) {
			const struct remedy *remedy;
			size_t count = 0;

			while ((remedy = remedy_at(diagnosis, 1U << i | (_i == 0 ? REMEDY_IPV4 : REMEDY_IPV6),
			    count)) != NULL) {
				ck_assert(remedy->what != NULL || remedy->fix != NULL);
				check_filled(remedy->what);
				check_filled(remedy->fix);
				check_filled(remedy->undo);
				count++;
			}
			ck_assert_msg(count > 0, "%s has no remedy on system %u", diagnosis_name(diagnosis), i);
		}
	}
}
END_TEST

START_TEST(a_missing_vip_is_mended_by_the_script)
{
	char text[REMEDY_TEXT];
	const struct remedy *remedy = remedy_at(DIAGNOSIS_VIP_IGNORED, SYSTEM_LINUX | REMEDY_IPV4, 0);

	ck_assert_ptr_nonnull(remedy);
	ck_assert_str_eq(remedy_fill(remedy->fix, &facts, text), "dsr-realserver apply --vip 192.0.2.10 --persist");
	ck_assert_str_eq(remedy_fill(remedy->undo, &facts, text), "dsr-realserver undo --vip 192.0.2.10");
	remedy = remedy_at(DIAGNOSIS_VIP_IGNORED, SYSTEM_WINDOWS | REMEDY_IPV4, 0);
	ck_assert_str_eq(remedy_fill(remedy->fix, &facts, text),
	    ".\\dsr-realserver.ps1 apply -Vip 192.0.2.10 -Port 80 -Protocol TCP");
}
END_TEST

/* The log and the page have the doctor's own commands, each of which can be copied. */
START_TEST(a_conflict_has_commands_in_a_line)
{
	char text[REMEDY_LINE], ask[REMEDY_ASK];

	remedy_line(diagnose_conflict(CONFLICT_ANSWERS, true), &facts, text);
	ck_assert_ptr_nonnull(strstr(text, "`dsr-realserver apply --vip 192.0.2.10 --persist`"));
	ck_assert_ptr_nonnull(strstr(text,
	    "`sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2`, `ip address "));
	ck_assert_ptr_nonnull(strstr(remedy_line(diagnose_conflict(CONFLICT_REQUESTS_AS, true), &facts, text),
	    "arp_announce=2`"));
	ck_assert_ptr_nonnull(strstr(remedy_line(diagnose_conflict(CONFLICT_SENDS_BACK, true), &facts, text),
	    "/32 dev lo"));
	facts.foreign = other_mac;
	facts.interface = "eth0";
	remedy_line(diagnose_conflict(CONFLICT_ANNOUNCES, false), &facts, text);
	ck_assert_ptr_nonnull(strstr(text, "MAC 02:00:00:00:00:99"));
	ck_assert_ptr_nonnull(strstr(text, remedy_ask(&facts.vip, "eth0", DIRECTOR_SYSTEM == SYSTEM_LINUX, ask)));
	for (enum diagnosis diagnosis = DIAGNOSIS_SERVER_FIRST; diagnosis < DIAGNOSIS_COUNT; diagnosis++)
		ck_assert_uint_lt(strlen(remedy_line(diagnosis, &facts, text)), REMEDY_LINE - 1);
}
END_TEST

/* The first remedy for the diagnosis that has the words. */
static bool
is_mended_by(enum diagnosis diagnosis, unsigned systems, const char *words)
{
	const struct remedy *remedy;
	char text[REMEDY_TEXT];

	for (size_t i = 0; (remedy = remedy_at(diagnosis, systems, i)) != NULL; i++)
		if (remedy->fix != NULL && strstr(remedy_fill(remedy->fix, &facts, text), words) != NULL)
			return true;
	return false;
}

START_TEST(a_director_has_commands_of_its_own)
{
	static const struct {
		const char *addr;
		bool by_linux;
		const char *command;
	} asked[] = {
		{ "192.0.2.10", true, "arping -c 3 -I em0 192.0.2.10" },
		{ "192.0.2.10", false, "ping -c 1 192.0.2.10; arp -n 192.0.2.10" },
		{ "2001:db8::10", true, "ping -c 1 2001:db8::10; ip neighbor show 2001:db8::10" },
		{ "2001:db8::10", false, "ping6 -c 1 2001:db8::10; ndp -n 2001:db8::10" },
	};
	char text[REMEDY_ASK];

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		const struct addr addr = at(asked[i].addr);

		ck_assert_str_eq(remedy_ask(&addr, "em0", asked[i].by_linux, text), asked[i].command);
	}
}
END_TEST

/* ifconfig of FreeBSD and macOS knows prefixlen for IPv6 only: for IPv4 it would take the address's class as mask. */
START_TEST(commands_are_those_of_the_family)
{
	static const unsigned with_ifconfig[] = { SYSTEM_FREEBSD, SYSTEM_OPENBSD, SYSTEM_NETBSD, SYSTEM_MACOS };
	char ask[REMEDY_ASK];

	facts.interface = "eth7";
	for (size_t i = 0; i < ARRAY_LEN(with_ifconfig); i++) {
		ck_assert(is_mended_by(DIAGNOSIS_VIP_IGNORED, with_ifconfig[i] | REMEDY_IPV4,
		    "netmask 255.255.255.255"));
		ck_assert(!is_mended_by(DIAGNOSIS_VIP_IGNORED, with_ifconfig[i] | REMEDY_IPV4, "prefixlen"));
	}
	ck_assert(is_mended_by(DIAGNOSIS_VIP_IGNORED, SYSTEM_LINUX | REMEDY_IPV4, "arp_ignore=1"));
	ck_assert(is_mended_by(DIAGNOSIS_VIP_IGNORED, SYSTEM_WINDOWS | REMEDY_IPV4,
	    "ipv4 add address \"loopback\" 192.0.2.10 255.255.255.255 skipassource=true\n"));
	ck_assert(is_mended_by(DIAGNOSIS_FOREIGN_OWNER, SYSTEM_LINUX | REMEDY_IPV4,
	    remedy_ask(&facts.vip, "eth7", DIRECTOR_SYSTEM == SYSTEM_LINUX, ask)));
	ck_assert(is_mended_by(DIAGNOSIS_UNREACHABLE, SYSTEM_LINUX | REMEDY_IPV4,
	    remedy_ask(&facts.own, "eth7", DIRECTOR_SYSTEM == SYSTEM_LINUX, ask)));

	facts.vip = at("2001:db8::10");
	for (enum diagnosis diagnosis = 0; diagnosis < DIAGNOSIS_COUNT; diagnosis++)
		ck_assert(!is_mended_by(diagnosis, SYSTEM_LINUX | REMEDY_IPV6, "arp_"));
	ck_assert(is_mended_by(DIAGNOSIS_VIP_IGNORED, SYSTEM_LINUX | REMEDY_IPV6,
	    "ip -6 address add 2001:db8::10/128 dev lo nodad preferred_lft 0"));
	for (size_t i = 0; i < ARRAY_LEN(with_ifconfig); i++)
		ck_assert(is_mended_by(DIAGNOSIS_VIP_IGNORED, with_ifconfig[i] | REMEDY_IPV6, "prefixlen 128"));
	ck_assert(is_mended_by(DIAGNOSIS_VIP_IGNORED, SYSTEM_WINDOWS | REMEDY_IPV6,
	    "ipv6 add address \"loopback\" 2001:db8::10/128 skipassource=true\n"));
	ck_assert(is_mended_by(DIAGNOSIS_FOREIGN_OWNER, SYSTEM_LINUX | REMEDY_IPV6,
	    remedy_ask(&facts.vip, "eth7", DIRECTOR_SYSTEM == SYSTEM_LINUX, ask)));
	/* The server's own address may be of the other family. */
	ck_assert(is_mended_by(DIAGNOSIS_UNREACHABLE, SYSTEM_LINUX | REMEDY_IPV6,
	    remedy_ask(&facts.own, "eth7", DIRECTOR_SYSTEM == SYSTEM_LINUX, ask)));
}
END_TEST

START_TEST(filling_in_is_bounded)
{
	char template[3 * REMEDY_TEXT], text[REMEDY_TEXT];

	for (size_t i = 0; i + 5 < sizeof(template); i += 5)
		memcpy(template + i, "{vip}", 6);
	remedy_fill(template, &facts, text);
	ck_assert_uint_eq(strlen(text), REMEDY_TEXT - 1);
	ck_assert_str_eq(remedy_fill("{unknown} {vip", &facts, text), "{unknown} {vip");
}
END_TEST

Suite *
diagnosis_suite(void)
{
	Suite *suite = suite_create("diagnose");
	TCase *tcase = tcase_create("diagnose");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, each_failed_check_has_its_diagnosis, 0, (int)ARRAY_LEN(check_rows));
	tcase_add_loop_test(tcase, each_row_has_its_diagnosis, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, all_good_is_nothing);
	tcase_add_test(tcase, several_are_told_together);
	tcase_add_test(tcase, each_row_was_tested);
	tcase_add_loop_test(tcase, systems_are_guessed, 0, sizeof(looks) / sizeof(looks[0]));
	tcase_add_test(tcase, all_answers_count);
	tcase_add_loop_test(tcase, every_diagnosis_can_be_mended_everywhere, 0, 2);
	tcase_add_test(tcase, a_missing_vip_is_mended_by_the_script);
	tcase_add_test(tcase, a_director_has_commands_of_its_own);
	tcase_add_test(tcase, commands_are_those_of_the_family);
	tcase_add_test(tcase, filling_in_is_bounded);
	tcase_add_test(tcase, a_conflict_has_commands_in_a_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
