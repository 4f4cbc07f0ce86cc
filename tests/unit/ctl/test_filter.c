/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/filter.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "proto/packet.h"
#include "suites.h"

static struct flow_facts
flow(void)
{
	struct flow_facts facts = { .service = "web", .server = "web1", .client_port = 40000, .port = 443,
		.protocol = PROTOCOL_TCP, .state = CONN_ESTABLISHED };

	static struct addr server;

	ck_assert_int_eq(addr_parse("192.0.2.11", &server), 0);
	facts.server_addr = &server;
	ck_assert_int_eq(addr_parse("203.0.113.7", &facts.client), 0);
	ck_assert_int_eq(addr_parse("192.0.2.10", &facts.vip), 0);
	return facts;
}

static int
parse(const char *line, struct filter *filter, char error[FILTER_ERROR])
{
	char text[512], *rest = text;
	const char *words[16];
	size_t count = 0;

	snprintf(text, sizeof(text), "%s", line);
	while ((words[count] = text_next_word(&rest)) != NULL)
		count++;
	return filter_parse(words, count, FILTER_FLOWS, filter, error);
}

static const struct row {
	const char *line;
	bool matches;
} rows[] = {
	{ "", true },
	{ "service=web", true },
	{ "service=we", false },
	{ "server=web/web1", true },
	{ "server=mail/web1", false },
	{ "server=web/web2", false },
	{ "server=web1", true },
	{ "client=203.0.113.7", true },
	{ "client=203.0.113.8", false },
	{ "client=203.0.113.0/24", true },
	{ "client=203.0.112.0/24", false },
	{ "client=0.0.0.0/0", true },
	{ "client=::/0", false },
	{ "vip=192.0.2.10", true },
	{ "vip=192.0.2.11", false },
	{ "port=443", true },
	{ "port=80", false },
	{ "protocol=tcp", true },
	{ "protocol=udp", false },
	{ "state=established", true },
	{ "state=syn", false },
	{ "service=w*", true },
	{ "server=*/web?", true },
	{ "server=*/web?x", false },
	{ "web", true },
	{ "mail", false },
	{ "mail web/web1", true },
	{ "web/web2", false },
	{ "192.0.2.11", true },
	{ "203.0.113.7", true },
	{ "192.0.2.10", true },
	{ "192.0.2.12", false },
	{ "web port=80", false },
	{ "service=web port=443 state=established client=203.0.113.0/24 limit=5", true },
	{ "service=web port=443 state=established client=203.0.113.0/24 protocol=sctp", false },
};

START_TEST(test_matching)
{
	const struct flow_facts facts = flow();
	struct filter filter;
	char error[FILTER_ERROR];

	ck_assert_int_eq(parse(rows[_i].line, &filter, error), 0);
	ck_assert_int_eq(filter_matches(&filter, &facts), rows[_i].matches);
}
END_TEST

static const struct bad {
	const char *line;
	const char *error;
} bads[] = {
	{ "a/b/c", "selects nothing" },
	{ "colour=red", "`colour=red` is not a filter" },
	{ "port", "`port` is not a filter" },
	{ "service=web port=0", "`port=0`: port= takes a number from 1 to 65535" },
	{ "port=", "port= takes" },
	{ "client=203.0.113.0/33", "client= takes an address or prefix" },
	{ "client=nowhere", "client= takes" },
	{ "vip=192.0.2.0/24", "vip= takes an address" },
	{ "protocol=icmp", "protocol= takes tcp, udp or sctp" },
	{ "state=none", "state= takes syn" },
	{ "service=", "service= takes" },
	{ "server=web/", "server= takes SERVICE/SERVER" },
	{ "limit=1001", "limit= takes a number from 0 to 1000" },
};

START_TEST(test_refusals)
{
	struct filter filter;
	char error[FILTER_ERROR] = "";

	ck_assert_int_eq(parse(bads[_i].line, &filter, error), -1);
	ck_assert_msg(strstr(error, bads[_i].error) != NULL, "%s: %s", bads[_i].line, error);
}
END_TEST

START_TEST(test_a_server_that_is_gone)
{
	struct flow_facts facts = flow();
	struct filter filter;
	char error[FILTER_ERROR];

	facts.service = facts.server = NULL;
	ck_assert_int_eq(parse("port=443", &filter, error), 0);
	ck_assert(filter_matches(&filter, &facts));
	ck_assert_uint_eq(filter.limit, FILTER_LIMIT);
	ck_assert_int_eq(parse("service=web", &filter, error), 0);
	ck_assert(!filter_matches(&filter, &facts));
}
END_TEST

/* What shells offer is what is taken. */
START_TEST(test_choices)
{
	const char *name, *choices;
	char word[64], error[FILTER_ERROR] = "";
	size_t count = 0;

	for (size_t i = 0; (name = filter_term(i, FILTER_FLOWS | FILTER_DECISIONS, &choices)) != NULL; i++) {
		/* Capital letters stand for names. */
		while (*choices >= 'a' && *choices <= 'z') {
			const size_t length = strcspn(choices, " ");
			struct filter filter;

			snprintf(word, sizeof(word), "%s=%.*s", name, (int)length, choices);
			ck_assert_msg(parse(word, &filter, error) == 0 ||
			    filter_parse((const char *const[]){ word }, 1, FILTER_DECISIONS, &filter, error) == 0,
			    "%s: %s", word, error);
			choices += length + strspn(choices + length, " ");
			count++;
		}
	}
	ck_assert_uint_eq(count, 3 + 6 + 5); /* protocols, states, verdicts */
}
END_TEST

/* Words for decisions are none for flows, and the other way round. */
START_TEST(decisions_have_words_of_their_own)
{
	const char *const words[] = { "verdict=drop", "reason=no-server" }, *const flows[] = { "state=syn" };
	struct flow_facts facts = flow();
	struct filter filter;
	char error[FILTER_ERROR];

	ck_assert_int_eq(filter_parse(words, 2, FILTER_DECISIONS, &filter, error), 0);
	facts.verdict = VERDICT_DROP;
	facts.reason = DROP_NO_SERVER;
	ck_assert(filter_matches(&filter, &facts));
	facts.reason = DROP_NO_SERVICE;
	ck_assert(!filter_matches(&filter, &facts));
	ck_assert_int_eq(filter_parse(words + 1, 1, FILTER_DECISIONS, &filter, error), 0);
	facts.reason = DROP_NO_SERVER;
	facts.verdict = VERDICT_FORWARD;
	ck_assert(!filter_matches(&filter, &facts));
	ck_assert_int_eq(filter_parse(words, 1, FILTER_FLOWS, &filter, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "`verdict=drop` is not a filter: use service= server= client= vip= port= "
	    "protocol= state= limit=,"));
	ck_assert_int_eq(filter_parse(flows, 1, FILTER_DECISIONS, &filter, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "verdict= reason=,"));
}
END_TEST

Suite *
filter_suite(void)
{
	Suite *suite = suite_create("filter");
	TCase *tcase = tcase_create("filter");

	tcase_add_loop_test(tcase, test_matching, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(tcase, test_refusals, 0, ARRAY_LEN(bads));
	tcase_add_test(tcase, test_a_server_that_is_gone);
	tcase_add_test(tcase, test_choices);
	tcase_add_test(tcase, decisions_have_words_of_their_own);
	suite_add_tcase(suite, tcase);
	return suite;
}
