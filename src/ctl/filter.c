/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/filter.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "proto/packet.h"

#define VALUE_MOST 128

static bool
take_name(const char *text, char name[NAME_MOST])
{
	if (*text == '\0' || strlen(text) >= NAME_MOST)
		return false;
	(void)snprintf(name, NAME_MOST, "%s", text);
	return true;
}

static bool
take_service(const char *value, struct filter *filter)
{
	return take_name(value, filter->service);
}

/* "web/web1", or a server of that name in any service. */
static bool
take_server(const char *value, struct filter *filter)
{
	char service[VALUE_MOST];
	const char *slash = strchr(value, '/');

	if (slash == NULL)
		return take_name(value, filter->server);
	(void)snprintf(service, sizeof(service), "%.*s", (int)(slash - value), value);
	return take_name(service, filter->service) && take_name(slash + 1, filter->server);
}

static bool
take_client(const char *value, struct filter *filter)
{
	char text[VALUE_MOST];
	char *slash;
	uint64_t most, length;

	(void)snprintf(text, sizeof(text), "%s", value);
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (addr_parse(text, &filter->client.addr) == -1)
		return false;
	most = length = filter->client.addr.family == ADDR_IPV4 ? 32 : 128;
	if (slash != NULL && text_number(slash, 0, most, &length) == -1)
		return false;
	filter->client.length = (uint8_t)length;
	return true;
}

static bool
take_vip(const char *value, struct filter *filter)
{
	return addr_parse(value, &filter->vip) == 0;
}

static bool
take_port(const char *value, struct filter *filter)
{
	uint64_t number;

	if (text_number(value, 1, UINT16_MAX, &number) == -1)
		return false;
	filter->port = (uint16_t)number;
	return true;
}

static bool
take_protocol(const char *value, struct filter *filter)
{
	static const uint8_t known[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(value, protocol_name(known[i])) == 0)
			filter->protocol = known[i];
	return filter->protocol != 0;
}

static bool
take_state(const char *value, struct filter *filter)
{
	for (enum conn_state state = CONN_SYN; state < CONN_STATE_COUNT; state++)
		if (strcmp(value, conn_state_name(state)) == 0)
			filter->state = state;
	return filter->state != CONN_NONE;
}

static bool
take_limit(const char *value, struct filter *filter)
{
	uint64_t number;

	if (text_number(value, 0, FILTER_LIMIT_MOST, &number) == -1)
		return false;
	filter->limit = (uint32_t)number;
	return true;
}

static bool
take_verdict(const char *value, struct filter *filter)
{
	for (enum verdict verdict = VERDICT_PASS; verdict <= VERDICT_DROP; verdict++) {
		if (strcmp(value, verdict_name(verdict)) != 0)
			continue;
		filter->verdict = verdict;
		filter->by_verdict = true;
	}
	return filter->by_verdict;
}

static bool
take_reason(const char *value, struct filter *filter)
{
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++)
		if (strcmp(value, drop_reason_name(reason)) == 0)
			filter->reason = reason;
	return filter->reason != DROP_REASON_COUNT;
}

#define BOTH (FILTER_FLOWS | FILTER_DECISIONS)

static const struct term {
	unsigned uses;
	const char *name;
	bool (*parse)(const char *value, struct filter *filter);
	const char *takes;
	const char *choices; /* filter_term() */
} terms[] = {
	{ BOTH, "service", take_service, "a service's name", "SERVICE" },
	{ BOTH, "server", take_server, "SERVICE/SERVER", "SERVICE/SERVER" },
	{ BOTH, "client", take_client, "an address or prefix, such as 203.0.113.0/24", "" },
	{ BOTH, "vip", take_vip, "an address", "VIP" },
	{ BOTH, "port", take_port, "a number from 1 to 65535", "" },
	{ BOTH, "protocol", take_protocol, "tcp, udp or sctp", "tcp udp sctp" },
	{ FILTER_FLOWS, "state", take_state, "syn, established, fin-wait, time-wait, closed or udp",
	    "syn established fin-wait time-wait closed udp" },
	{ FILTER_FLOWS, "limit", take_limit, "a number from 0 to 1000", "" },
	{ FILTER_DECISIONS, "verdict", take_verdict, "forward, drop, hold, consumed or pass",
	    "forward drop hold consumed pass" },
	{ FILTER_DECISIONS, "reason", take_reason, "the name of a reason to drop: dsrctl show drops lists them", "" },
};

/* All words of that use, as they are written. */
static void
list_terms(enum filter_use use, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(terms) && used < size; i++)
		if ((terms[i].uses & use) != 0)
			used += (size_t)snprintf(text + used, size - used, " %s=", terms[i].name);
}

static bool
is_term(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(terms); i++)
		if (strcmp(word, terms[i].name) == 0)
			return true;
	return false;
}

static int
take_selector(const char *word, struct filter *filter, char error[FILTER_ERROR])
{
	if (filter->selector_count == SELECTORS_MOST) {
		(void)snprintf(error, FILTER_ERROR, "more than %d names at a time", SELECTORS_MOST);
		return -1;
	}
	return selector_parse(word, &filter->selectors[filter->selector_count++], error);
}

static int
filter_take_word(const char *word, enum filter_use use, struct filter *filter, char error[FILTER_ERROR])
{
	const char *equals = strchr(word, '=');
	const size_t length = equals == NULL ? 0 : (size_t)(equals - word);
	char list[FILTER_ERROR / 2] = "";

	for (size_t i = 0; i < ARRAY_LEN(terms) && equals != NULL; i++) {
		if ((terms[i].uses & use) == 0 || strlen(terms[i].name) != length ||
		    strncmp(terms[i].name, word, length) != 0)
			continue;
		if (strlen(equals + 1) < VALUE_MOST && terms[i].parse(equals + 1, filter))
			return 0;
		(void)snprintf(error, FILTER_ERROR, "`%s`: %s= takes %s", word, terms[i].name, terms[i].takes);
		return -1;
	}
	if (equals == NULL && !is_term(word))
		return take_selector(word, filter, error);
	list_terms(use, list, sizeof(list));
	(void)snprintf(error, FILTER_ERROR, "`%s` is not a filter: use%s, each with a value, or names "
	    "and addresses of services and servers", word, list);
	return -1;
}

int
filter_parse(const char *const words[], size_t count, enum filter_use use, struct filter *filter,
    char error[FILTER_ERROR])
{
	memset(filter, 0, sizeof(*filter));
	filter->limit = FILTER_LIMIT;
	filter->reason = DROP_REASON_COUNT;
	for (size_t i = 0; i < count; i++)
		if (filter_take_word(words[i], use, filter, error) == -1)
			return -1;
	return 0;
}

static bool
is_named(const char *wanted, const char *name)
{
	return wanted[0] == '\0' || (name != NULL && fnmatch(wanted, name, 0) == 0);
}

/* An address is that of the server, the VIP or the client. */
static bool
is_selected(const struct filter *filter, const struct flow_facts *facts)
{
	for (size_t i = 0; i < filter->selector_count; i++) {
		const struct selector *selector = &filter->selectors[i];

		if (selector_matches(selector, facts->service, facts->server, facts->server_addr) ||
		    (addr_is_set(&selector->addr) &&
		    (addr_equal(&selector->addr, &facts->vip) || addr_equal(&selector->addr, &facts->client))))
			return true;
	}
	return filter->selector_count == 0;
}

bool
filter_matches(const struct filter *filter, const struct flow_facts *facts)
{
	if (!is_selected(filter, facts) || !is_named(filter->service, facts->service) ||
	    !is_named(filter->server, facts->server))
		return false;
	if (addr_is_set(&filter->client.addr) && !prefix_contains(&filter->client, &facts->client))
		return false;
	if (addr_is_set(&filter->vip) && !addr_equal(&filter->vip, &facts->vip))
		return false;
	if (filter->by_verdict && filter->verdict != facts->verdict)
		return false;
	if (filter->reason != DROP_REASON_COUNT &&
	    (facts->verdict != VERDICT_DROP || filter->reason != facts->reason))
		return false;
	return (filter->port == 0 || filter->port == facts->port) &&
	    (filter->protocol == 0 || filter->protocol == facts->protocol) &&
	    (filter->state == CONN_NONE || filter->state == facts->state);
}

const char *
filter_term(size_t index, enum filter_use use, const char **choices)
{
	for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
		if ((terms[i].uses & use) == 0 || index-- > 0)
			continue;
		*choices = terms[i].choices;
		return terms[i].name;
	}
	return NULL;
}
