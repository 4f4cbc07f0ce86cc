/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "proto/packet.h"

void
settings_clear(struct settings *settings)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		free(settings->services[i].listens);
		free(settings->services[i].servers);
		free(settings->services[i].checks);
		free(settings->services[i].notifies);
	}
	free(settings->services);
	memset(settings, 0, sizeof(*settings));
}

const char *
protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return "tcp";
	case PROTOCOL_UDP:
		return "udp";
	case PROTOCOL_SCTP:
		return "sctp";
	default: /* numbers from the wire, not an enum */
		return NULL;
	}
}

const char *
check_kind_name(enum check_kind kind)
{
	static const char *const names[CHECK_KINDS] = {
		[CHECK_TCP] = "tcp",
		[CHECK_HTTP] = "http",
		[CHECK_HTTPS] = "https",
		[CHECK_ICMP] = "icmp",
		[CHECK_DNS] = "dns",
		[CHECK_UDP] = "udp",
		[CHECK_SCRIPT] = "script",
	};

	return (unsigned)kind < CHECK_KINDS ? names[kind] : "?";
}

const char *
check_label(const struct check_settings *check, const struct addr *addr, uint16_t port, char text[CHECK_LABEL])
{
	const bool brackets = addr->family == ADDR_IPV6 && port != 0;
	const char *more = "";
	char name[ADDR_TEXT], number[8] = "";

	if (check->kind == CHECK_SCRIPT) {
		(void)snprintf(text, CHECK_LABEL, "script %s", check->command);
		return text;
	}
	if (check->kind == CHECK_HTTP || check->kind == CHECK_HTTPS)
		more = check->path[0] == '\0' ? "/" : check->path;
	else if (check->kind == CHECK_DNS)
		more = check->name;
	if (port != 0)
		(void)snprintf(number, sizeof(number), ":%u", port);
	(void)snprintf(text, CHECK_LABEL, "%s %s%s%s%s%s%s", check_kind_name(check->kind), brackets ? "[" : "",
	    addr_format(addr, name), brackets ? "]" : "", number, *more == '\0' ? "" : " ", more);
	return text;
}

uint8_t
check_protocol(const struct check_settings *check)
{
	switch (check->kind) {
	case CHECK_TCP:
	case CHECK_HTTP:
	case CHECK_HTTPS:
		return PROTOCOL_TCP;
	case CHECK_DNS:
	case CHECK_UDP:
		return PROTOCOL_UDP;
	case CHECK_ICMP:
	case CHECK_SCRIPT:
		break;
	}
	return 0;
}

const char *
listen_ports(const struct listen_settings *listen, char text[PORTS_TEXT])
{
	const char *protocol = protocol_name(listen->protocol) != NULL ? protocol_name(listen->protocol) : "?";

	if (listen->first == listen->last)
		(void)snprintf(text, PORTS_TEXT, "%s/%u", protocol, listen->first);
	else if (listen->last == UINT16_MAX && listen->first <= 1)
		(void)snprintf(text, PORTS_TEXT, "%s/*", protocol);
	else
		(void)snprintf(text, PORTS_TEXT, "%s/%u-%u", protocol, listen->first, listen->last);
	return text;
}

bool
listen_has_port(const struct listen_settings *listen, uint8_t protocol, uint16_t port)
{
	return listen->protocol == protocol && listen->first <= port && port <= listen->last;
}

static bool
has_port(const struct service_settings *service, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < service->listen_count; i++)
		if (listen_has_port(&service->listens[i], protocol, port))
			return true;
	return false;
}

static uint16_t
first_port(const struct service_settings *service, uint8_t protocol)
{
	for (size_t i = 0; i < service->listen_count; i++) {
		const struct listen_settings *listen = &service->listens[i];
		bool all = listen->first <= 1 && listen->last == UINT16_MAX;

		if (listen->protocol == protocol && !all)
			return listen->first;
	}
	return 0;
}

uint16_t
service_check_port(const struct service_settings *service, const struct check_settings *check)
{
	const uint8_t protocol = check_protocol(check);
	uint16_t known = 0;

	if (protocol == 0)
		return 0;
	if (check->kind == CHECK_HTTP)
		known = 80;
	else if (check->kind == CHECK_HTTPS)
		known = 443;
	else if (check->kind == CHECK_DNS)
		known = 53;
	if (check->port != 0)
		return check->port;
	return known != 0 && has_port(service, protocol, known) ? known : first_port(service, protocol);
}

static int
compare_bytes(const struct check_bytes *a, const struct check_bytes *b)
{
	int result = compare_numbers(a->given, b->given);

	if (result == 0)
		result = compare_numbers(a->length, b->length);
	return result != 0 ? result : memcmp(a->bytes, b->bytes, a->length);
}

static int
compare_http(const struct check_settings *a, const struct check_settings *b)
{
	int result = strcmp(a->path, b->path);

	if (result == 0)
		result = strcmp(a->host, b->host);
	if (result == 0)
		result = compare_numbers(a->status_count, b->status_count);
	if (result == 0)
		result = memcmp(a->statuses, b->statuses, a->status_count * sizeof(a->statuses[0]));
	if (result == 0)
		result = strcmp(a->sni, b->sni);
	if (result == 0)
		result = compare_numbers(a->no_verify, b->no_verify);
	return result != 0 ? result : strcmp(a->ca, b->ca);
}

static int
compare_dns(const struct check_settings *a, const struct check_settings *b)
{
	int result = strcmp(a->name, b->name);

	if (result == 0)
		result = compare_numbers(a->type, b->type);
	if (result == 0)
		result = compare_numbers(a->rcode, b->rcode);
	if (result == 0)
		result = compare_numbers(a->answer.family, b->answer.family);
	return result != 0 ? result : memcmp(a->answer.bytes, b->answer.bytes, sizeof(a->answer.bytes));
}

static bool
list_has_name(const char *list, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = list; *at != '\0'; at += strspn(at, ",")) {
		const size_t word = strcspn(at, ",");

		if (word == length && memcmp(at, name, length) == 0)
			return true;
		at += word;
	}
	return false;
}

bool
check_names(const struct check_settings *check, const char *server)
{
	return list_has_name(check->servers, server);
}

const char *
service_notify(const struct service_settings *service, const char *server)
{
	const char *program = NULL;

	for (size_t i = 0; i < service->notify_count; i++) {
		const struct notify_settings *notify = &service->notifies[i];

		if (server != NULL && list_has_name(notify->servers, server))
			return notify->program;
		if (notify->servers[0] == '\0')
			program = notify->program;
	}
	return program;
}

bool
check_is_for(const struct service_settings *service, const struct check_settings *check, const char *server)
{
	if (check->servers[0] != '\0')
		return check_names(check, server);
	for (size_t i = 0; i < service->check_count; i++)
		if (check_names(&service->checks[i], server))
			return false;
	return true;
}

int
check_compare(const struct check_settings *a, const struct check_settings *b)
{
	int result = compare_numbers(a->kind, b->kind);

	if (result == 0)
		result = compare_bytes(&a->send, &b->send);
	if (result == 0)
		result = compare_bytes(&a->expect, &b->expect);
	if (result == 0)
		result = compare_http(a, b);
	if (result == 0)
		result = compare_dns(a, b);
	if (result == 0)
		result = compare_numbers(a->command_words, b->command_words);
	return result != 0 ? result : memcmp(a->command, b->command, sizeof(a->command));
}

bool
service_settings_have_local(const struct service_settings *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i].method == ENCAP_LOCAL)
			return true;
	return false;
}

bool
settings_serve_locally(const struct settings *settings, const struct addr *vip)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		const struct service_settings *service = &settings->services[i];

		for (size_t j = 0; j < service->listen_count; j++)
			if (addr_equal(&service->listens[j].vip, vip) && service_settings_have_local(service))
				return true;
	}
	return false;
}

const char *
neighbor_policy_name(enum neighbor_policy policy)
{
	static const char *const names[] = {
		[NEIGHBOR_PROVE] = "prove",
		[NEIGHBOR_PIN] = "pin",
		[NEIGHBOR_FOLLOW] = "follow",
	};

	return names[policy];
}
