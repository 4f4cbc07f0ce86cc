/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/filter.h"

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

static const struct term {
	const char *name;
	bool (*take)(const char *value, struct filter *filter);
	const char *takes;
	const char *choices; /* filter_term() */
} terms[] = {
	{ "service", take_service, "a service's name", "SERVICE" },
	{ "server", take_server, "SERVICE/SERVER", "SERVICE/SERVER" },
	{ "client", take_client, "an address or prefix, such as 203.0.113.0/24", "" },
	{ "vip", take_vip, "an address", "VIP" },
	{ "port", take_port, "a number from 1 to 65535", "" },
	{ "protocol", take_protocol, "tcp, udp or sctp", "tcp udp sctp" },
	{ "state", take_state, "syn, established, fin-wait, time-wait, closed or udp",
	    "syn established fin-wait time-wait closed udp" },
	{ "limit", take_limit, "a number from 0 to 10000", "" },
};

static int
take_word(const char *word, struct filter *filter, char error[FILTER_ERROR])
{
	const char *equals = strchr(word, '=');
	const size_t length = equals == NULL ? 0 : (size_t)(equals - word);

	for (size_t i = 0; i < ARRAY_LEN(terms) && equals != NULL; i++) {
		if (strlen(terms[i].name) != length || strncmp(terms[i].name, word, length) != 0)
			continue;
		if (strlen(equals + 1) < VALUE_MOST && terms[i].take(equals + 1, filter))
			return 0;
		(void)snprintf(error, FILTER_ERROR, "`%s`: %s= takes %s", word, terms[i].name, terms[i].takes);
		return -1;
	}
	(void)snprintf(error, FILTER_ERROR, "`%s` is no filter: there are service=NAME server=SERVICE/SERVER "
	    "client=ADDRESS[/BITS] vip=ADDRESS port=N protocol=tcp|udp|sctp state=STATE limit=N", word);
	return -1;
}

int
filter_parse(const char *const words[], size_t count, struct filter *filter, char error[FILTER_ERROR])
{
	memset(filter, 0, sizeof(*filter));
	filter->limit = FILTER_LIMIT;
	for (size_t i = 0; i < count; i++)
		if (take_word(words[i], filter, error) == -1)
			return -1;
	return 0;
}

static bool
is_named(const char *wanted, const char *name)
{
	return wanted[0] == '\0' || (name != NULL && strcmp(wanted, name) == 0);
}

bool
filter_matches(const struct filter *filter, const struct flow_facts *facts)
{
	if (!is_named(filter->service, facts->service) || !is_named(filter->server, facts->server))
		return false;
	if (addr_is_set(&filter->client.addr) && !prefix_contains(&filter->client, &facts->client))
		return false;
	if (addr_is_set(&filter->vip) && !addr_equal(&filter->vip, &facts->vip))
		return false;
	return (filter->port == 0 || filter->port == facts->port) &&
	    (filter->protocol == 0 || filter->protocol == facts->protocol) &&
	    (filter->state == CONN_NONE || filter->state == facts->state);
}

const char *
filter_term(size_t index, const char **choices)
{
	if (index >= ARRAY_LEN(terms))
		return NULL;
	*choices = terms[index].choices;
	return terms[index].name;
}
