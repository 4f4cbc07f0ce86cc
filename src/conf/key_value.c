/* SPDX-License-Identifier: ISC */
/* The values that have a grammar of their own: listens and servers. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "conf/keys.h"
#include "proto/packet.h"

/* "192.0.2.11:80" or "[2001:db8::11]:80": an address with a port? If so, `text` becomes the address alone. */
static bool
cut_port(char *text)
{
	char *colon = strrchr(text, ':');
	const bool brackets = *text == '[' && colon != NULL && colon > text && colon[-1] == ']';
	char *end = brackets ? colon - 1 : colon;
	const char *begin = brackets ? text + 1 : text;
	const char before = end != NULL ? *end : '\0';
	struct addr addr;
	uint64_t port;

	if (colon == NULL || text_number(colon + 1, 0, UINT32_MAX, &port) != 0)
		return false;
	*end = '\0';
	if (addr_parse(begin, &addr) == 0 && addr.family == (brackets ? ADDR_IPV6 : ADDR_IPV4)) {
		memmove(text, begin, strlen(begin) + 1);
		return true;
	}
	*end = before;
	return false;
}

static bool
add_listen(struct parse *parse, struct draft *draft, const struct listen_settings *listen)
{
	struct service_settings *service = &draft->service;
	struct listen_settings *listens = parse_grow(service->listens, service->listen_count, sizeof(*listens));
	struct place *places = parse_grow(draft->listen_places, service->listen_count, sizeof(*places));

	if (listens != NULL)
		service->listens = listens;
	if (places != NULL)
		draft->listen_places = places;
	if (listens == NULL || places == NULL) {
		parse_out_of_memory(parse);
		return false;
	}
	places[service->listen_count] = parse->place;
	listens[service->listen_count++] = *listen;
	return true;
}

/* "80", "8000-8099" or "*". */
static bool
read_ports(char *text, struct listen_settings *listen)
{
	char *dash = strchr(text, '-');
	uint64_t first = 1, last = PORT_MOST;

	if (strcmp(text, "*") != 0) {
		if (dash != NULL)
			*dash = '\0';
		if (text_number(text, 1, PORT_MOST, &first) != 0)
			return false;
		last = first;
		if (dash != NULL && text_number(dash + 1, first, PORT_MOST, &last) != 0)
			return false;
	}
	listen->first = (uint16_t)first;
	listen->last = (uint16_t)last;
	return true;
}

static bool
read_protocol(const char *word, uint8_t *protocol)
{
	static const uint8_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (strcmp(word, protocol_name(protocols[i])) == 0) {
			*protocol = protocols[i];
			return true;
		}
	}
	return false;
}

/* "tcp/80,443,8000-8099" */
static enum set_result
key_value_take_ports(struct parse *parse, struct draft *draft, const struct addr *vip, char *word)
{
	struct listen_settings listen = { .vip = *vip };
	enum set_result result = SET_OK;
	char *ports = strchr(word, '/');
	char *next;

	if (ports == NULL)
		return parse_refuse(parse, "`%s`: a protocol and ports are written tcp/80 or udp/53", word);
	*ports++ = '\0';
	if (!read_protocol(word, &listen.protocol))
		return parse_refuse(parse, "`%s` is not a valid protocol: use tcp, udp or sctp", word);
	for (; ports != NULL; ports = next) {
		char shown[KEY_TEXT];

		next = strchr(ports, ',');
		if (next != NULL)
			*next++ = '\0';
		(void)snprintf(shown, sizeof(shown), "%s", ports);
		if (!read_ports(ports, &listen)) {
			parse_error(parse,
			    "`%s/%s`: ports are 80, 8000-8099 (the smaller first, from 1 to 65535) or * for all, "
			    "and lists of these without blanks",
			    word, shown);
			result = SET_REPORTED;
		} else if (!add_listen(parse, draft, &listen)) {
			return SET_REPORTED;
		}
	}
	return result;
}

/* Of the listens of this line, which are the last ones from `first` on. */
static enum set_result
set_dscp(struct parse *parse, struct service_settings *service, size_t first, const char *value)
{
	uint64_t dscp;

	if (text_number(value, 1, ENCAP_DSCP_MOST, &dscp) != 0)
		return parse_refuse(parse, "`dscp` cannot be `%s`: it is a number from 1 to %d", value,
		    ENCAP_DSCP_MOST);
	for (size_t i = first; i < service->listen_count; i++)
		service->listens[i].dscp = (uint8_t)dscp;
	return SET_OK;
}

enum set_result
key_set_listen(struct parse *parse, struct draft *draft, char *value)
{
	const size_t first = draft->service.listen_count;
	char *address = text_next_word(&value);
	char *word = text_next_word(&value);
	struct addr vip;
	enum set_result result;

	if (address == NULL)
		return SET_REFUSED;
	if (cut_port(address))
		return parse_refuse(parse, "a VIP and its ports are written `listen = %s tcp/80`", address);
	result = key_read_address(parse, "VIP", address, &vip);
	if (result != SET_OK)
		return result;
	if (word == NULL)
		return parse_refuse(parse, "`listen` lacks its ports: write `listen = %s tcp/80`, or tcp/* for all", address);
	for (; word != NULL; word = text_next_word(&value)) {
		if (strncmp(word, "dscp=", strlen("dscp=")) == 0)
			result = set_dscp(parse, &draft->service, first, word + strlen("dscp="));
		else if (key_value_take_ports(parse, draft, &vip, word) != SET_OK)
			result = SET_REPORTED;
	}
	return result;
}

bool
key_print_listen(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct listen_settings *listen;
	const char *protocol;
	char vip[ADDR_TEXT], dscp[16] = "";

	(void)conf;
	if (index >= service->listen_count)
		return false;
	listen = &service->listens[index];
	protocol = protocol_name(listen->protocol);
	addr_format(&listen->vip, vip);
	if (listen->dscp != 0)
		(void)snprintf(dscp, sizeof(dscp), " dscp=%u", listen->dscp);
	if (listen->first == 1 && listen->last == PORT_MOST)
		(void)snprintf(text, KEY_TEXT, "%s %s/*%s", vip, protocol, dscp);
	else if (listen->first == listen->last)
		(void)snprintf(text, KEY_TEXT, "%s %s/%u%s", vip, protocol, listen->first, dscp);
	else
		(void)snprintf(text, KEY_TEXT, "%s %s/%u-%u%s", vip, protocol, listen->first, listen->last, dscp);
	return true;
}

static enum set_result
set_weight(struct parse *parse, struct server_settings *server, const char *value)
{
	uint64_t weight;

	if (text_number(value, 0, WEIGHT_MOST, &weight) == 0) {
		server->weight = (uint32_t)weight;
		return SET_OK;
	}
	return parse_refuse(parse, "a weight cannot be `%s`: it is a number from 0 (no new connections) to %d", value,
	    WEIGHT_MOST);
}

static enum set_result
set_max_connections(struct parse *parse, struct server_settings *server, const char *value)
{
	uint64_t number;

	if (text_size(value, &number) == 0 && number > 0 && number <= CONNECTIONS_MOST) {
		server->max_connections = (uint32_t)number;
		return SET_OK;
	}
	return parse_refuse(parse, "`max-connections` cannot be `%s`: it is a number from 1 to 256m; a server that is "
	    "to get "
	    "no new connections has `weight=0`", value);
}

static enum set_result
set_server_mac(struct parse *parse, struct server_settings *server, const char *value)
{
	struct mac mac;

	if (mac_parse(value, &mac) == 0 && !mac_is_zero(&mac) && !mac_is_group(&mac)) {
		server->mac = mac;
		return SET_OK;
	}
	return parse_refuse(parse, "`%s` is not a unicast MAC address such as 02:00:00:00:00:0b; without `mac=` it is "
	    "resolved "
	    "by ARP or neighbor discovery", value);
}

static enum set_result
set_server_iface(struct parse *parse, struct server_settings *server, const char *value)
{
	if (key_read_iface(value, server->iface))
		return SET_OK;
	return parse_refuse(parse, "`%s` is not a valid interface name such as eth1", value);
}

static enum set_result
set_backup(struct parse *parse, struct server_settings *server, const char *value)
{
	(void)parse;
	(void)value;
	server->backup = true;
	return SET_OK;
}

static enum set_result
set_local(struct parse *parse, struct server_settings *server, const char *value)
{
	(void)value;
	if (server->method != ENCAP_METHODS)
		return parse_refuse(parse, "a server that is this director (`local`) has no `method`");
	server->method = ENCAP_LOCAL;
	return SET_OK;
}

static enum set_result
set_method(struct parse *parse, struct server_settings *server, const char *value)
{
	enum encap_method method;

	if (encap_method_by_name(value, &method) == 0 && method != ENCAP_LOCAL) {
		if (server->method == ENCAP_LOCAL)
			return parse_refuse(parse, "a server that is this director (`local`) has no `method`");
		server->method = method;
		return SET_OK;
	}
	if (strcmp(value, "local") == 0)
		return parse_refuse(parse, "`local` is no method: write it alone, as in `server = self ADDRESS local`");
	return parse_refuse(parse, "`%s` is not a method: there are mac, dscp, ipip, gre, gue and gue1", value);
}

/* A link-local address will do: the interface says on which link. */
static enum set_result
read_gateway(struct parse *parse, const char *text, struct addr *gateway)
{
	struct addr read;

	if (addr_parse(text, &read) == 0 && addr_is_link_local(&read)) {
		*gateway = read;
		return SET_OK;
	}
	return key_read_address(parse, "gateway", text, gateway);
}

static enum set_result
set_gateway(struct parse *parse, struct server_settings *server, const char *value)
{
	return read_gateway(parse, value, &server->gateway);
}

enum set_result
key_set_gateway(struct parse *parse, struct draft *draft, char *value)
{
	return read_gateway(parse, value, &draft->service.gateway);
}

bool
key_print_gateway(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	char addr[ADDR_TEXT];

	(void)conf;
	if (index > 0 || !addr_is_set(&service->gateway))
		return false;
	(void)snprintf(text, KEY_TEXT, "%s", addr_format(&service->gateway, addr));
	return true;
}

struct option {
	const char *name;
	bool has_value; /* NAME=VALUE, else NAME alone */
	enum set_result (*set)(struct parse *parse, struct server_settings *server, const char *value);
};

#define OPTION_COUNT 9

static const struct option options[OPTION_COUNT] = {
	{ "weight", true, set_weight },
	{ "max-connections", true, set_max_connections },
	{ "mac", true, set_server_mac },
	{ "interface", true, set_server_iface },
	{ "method", true, set_method },
	{ "gateway", true, set_gateway },
	{ "quic-id", true, key_set_quic_ids },
	{ "backup", false, set_backup },
	{ "local", false, set_local },
};

static enum set_result
tell_unknown_option(struct parse *parse, const char *name)
{
	const char *names[OPTION_COUNT + 1];
	const char *nearest;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = options[i].name;
	names[OPTION_COUNT] = NULL;
	nearest = text_nearest(name, names);
	if (nearest != NULL)
		return parse_refuse(parse, "a server has no option `%s`, did you mean `%s`?", name, nearest);
	return parse_refuse(parse,
		    "a server has no option `%s`: there are weight=N, max-connections=N, mac=MAC, interface=NAME, "
		    "method=NAME, gateway=ADDRESS, quic-id=HEX, backup and local", name);
}

static enum set_result
key_value_take_option(struct parse *parse, struct server_settings *server, char *word, bool given[OPTION_COUNT])
{
	char *value = strchr(word, '=');
	size_t i = 0;

	if (value != NULL)
		*value++ = '\0';
	while (i < OPTION_COUNT && strcmp(options[i].name, word) != 0)
		i++;
	if (i == OPTION_COUNT)
		return tell_unknown_option(parse, word);
	if (options[i].has_value && (value == NULL || *value == '\0'))
		return parse_refuse(parse, "`%s` needs a value: write it %s=VALUE, without blanks", word, word);
	if (!options[i].has_value && value != NULL)
		return parse_refuse(parse, "`%s` takes no value", word);
	if (given[i])
		return parse_refuse(parse, "`%s` is given twice for this server", word);
	given[i] = true;
	return options[i].set(parse, server, value);
}

/* As much of the end of a file's name as is kept. */
static const char *
key_file_end(const char *file)
{
	const size_t length = strlen(file);

	return length < SETTINGS_FILE ? file : file + length - SETTINGS_FILE + 1;
}

static bool
add_server(struct parse *parse, struct draft *draft, const struct server_settings *server)
{
	struct service_settings *service = &draft->service;
	struct server_settings *servers = parse_grow(service->servers, service->server_count, sizeof(*servers));
	struct place *places = parse_grow(draft->server_places, service->server_count, sizeof(*places));

	if (servers != NULL)
		service->servers = servers;
	if (places != NULL)
		draft->server_places = places;
	if (servers == NULL || places == NULL) {
		parse_out_of_memory(parse);
		return false;
	}
	places[service->server_count] = parse->place;
	servers[service->server_count] = *server;
	servers[service->server_count].line = parse->place.line;
	(void)snprintf(servers[service->server_count++].file, SETTINGS_FILE, "%s", key_file_end(parse->place.file));
	return true;
}

enum set_result
key_set_server(struct parse *parse, struct draft *draft, char *value)
{
	struct server_settings server = { .weight = 1, .method = ENCAP_METHODS };
	char *name = text_next_word(&value);
	char *address = text_next_word(&value);
	bool given[OPTION_COUNT] = { false };
	enum set_result result;
	char *word;

	if (name == NULL || address == NULL)
		return SET_REFUSED;
	if (!key_is_name(name))
		return parse_refuse(parse, "`%s` is not a valid server name: use up to %d letters, digits, `_`, `.` "
		    "and `-`", name,
		    NAME_MOST - 1);
	(void)snprintf(server.name, sizeof(server.name), "%s", name);
	if (cut_port(address))
		return parse_refuse(parse,
		    "server `%s` cannot have a port: direct routing hands on the client's packet as it is, so "
		    "the server must listen on the service's own ports; write `%s`",
		    name, address);
	result = key_read_address(parse, "server", address, &server.addr);
	while (result == SET_OK && (word = text_next_word(&value)) != NULL)
		result = key_value_take_option(parse, &server, word, given);
	if (result == SET_OK && !add_server(parse, draft, &server))
		result = SET_REPORTED;
	return result;
}

bool
key_print_server(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct server_settings *server;
	char addr[ADDR_TEXT], mac[MAC_TEXT], gateway[ADDR_TEXT], limit[32] = "", quic[QUIC_IDS_TEXT];
	bool has_mac, has_iface, has_method, has_gateway;

	(void)conf;
	if (index >= service->server_count)
		return false;
	server = &service->servers[index];
	has_mac = !mac_is_zero(&server->mac);
	has_iface = server->iface[0] != '\0';
	has_method = server->method != service->method && server->method != ENCAP_LOCAL;
	has_gateway = addr_is_set(&server->gateway) && !addr_equal(&server->gateway, &service->gateway);
	if (server->max_connections != 0)
		(void)snprintf(limit, sizeof(limit), " max-connections=%u", server->max_connections);
	key_print_quic_ids(server, quic);
	(void)snprintf(text, KEY_TEXT, "%s %s weight=%u%s%s%s%s%s%s%s%s%s%s%s%s", server->name,
	    addr_format(&server->addr, addr),
	    server->weight, limit, has_mac ? " mac=" : "", has_mac ? mac_format(&server->mac, mac) : "",
	    has_iface ? " interface=" : "", server->iface, has_method ? " method=" : "",
	    has_method ? encap_method_name(server->method) : "", has_gateway ? " gateway=" : "",
	    has_gateway ? addr_format(&server->gateway, gateway) : "", quic, server->backup ? " backup" : "",
	    server->method == ENCAP_LOCAL ? " local" : "");
	return true;
}
