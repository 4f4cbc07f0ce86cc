/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/names.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "base/attr.h"

#define ADDRESSES_MOST 32 /* of one name: more are not looked at */

/* libevent calls back exactly once for each query, even one cancelled by names_free(); so each lives until then. */
struct inquiry {
	struct names *names; /* NULL: given up */
	size_t number;
	struct inquiry *next;
	struct inquiry **link;
};

struct names {
	struct evdns_base *dns;
	names_found *found;
	void *context;
	struct inquiry *open;
};

/* A name server that fails is an answer here, not news for the log. */
static void
names_ignore(int is_warning UNUSED, const char *message UNUSED)
{
}

struct names *
names_new(struct event_base *base, names_found *found, void *context)
{
	struct names *names = calloc(1, sizeof(*names));

	if (names == NULL)
		return NULL;
	names->found = found;
	names->context = context;
	names->dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (names->dns == NULL) {
		free(names);
		return NULL;
	}
	evdns_set_log_fn(names_ignore);
	/* Without name servers the hosts file still answers. */
	(void)evdns_base_resolv_conf_parse(names->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	(void)evdns_base_set_option(names->dns, "timeout", "1");
	(void)evdns_base_set_option(names->dns, "attempts", "2");
	/* Randomised case (0x20) confuses some servers, and is of no use here. */
	(void)evdns_base_set_option(names->dns, "randomize-case", "0");
	return names;
}

static void
names_on_answer(int result, struct evutil_addrinfo *answer, void *arg)
{
	struct inquiry *inquiry = arg;
	struct names *names = inquiry->names;
	struct addr addrs[ADDRESSES_MOST];
	size_t count = 0;

	for (struct evutil_addrinfo *at = result == 0 ? answer : NULL; at != NULL && count < ADDRESSES_MOST;
	    at = at->ai_next) {
		addrs[count] = addr_from_sockaddr(at->ai_addr);
		count += addr_is_set(&addrs[count]);
	}
	if (answer != NULL)
		evutil_freeaddrinfo(answer);
	if (names != NULL) {
		*inquiry->link = inquiry->next;
		if (inquiry->next != NULL)
			inquiry->next->link = inquiry->link;
		names->found(names->context, inquiry->number, addrs, count);
	}
	free(inquiry);
}

bool
names_ask(struct names *names, size_t number, const char *name)
{
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (inquiry == NULL)
		return false;
	inquiry->names = names;
	inquiry->number = number;
	inquiry->next = names->open;
	inquiry->link = &names->open;
	if (names->open != NULL)
		names->open->link = &inquiry->next;
	names->open = inquiry;
	(void)evdns_getaddrinfo(names->dns, name, NULL, &hints, names_on_answer, inquiry);
	return true;
}

void
names_free(struct names *names)
{
	if (names == NULL)
		return;
	for (struct inquiry *inquiry = names->open; inquiry != NULL; inquiry = inquiry->next)
		inquiry->names = NULL;
	/* Those that are open fail now, and free themselves. */
	evdns_base_free(names->dns, 1);
	free(names);
}
