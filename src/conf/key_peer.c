/* SPDX-License-Identifier: ISC */
/* The keys of other directors: `peer` and `peer-listen`. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/keys.h"

/* "192.0.2.2", "192.0.2.2:9191", "2001:db8::2", "[2001:db8::2]:9191" */
static enum set_result
key_peer_read(struct parse *parse, const char *what, char *text, struct addr *addr, uint16_t *port)
{
	char *colon = strchr(text, ':');
	uint64_t number = CONF_PEER_PORT;

	if (*text == '[') {
		colon = strchr(text, ']');
		if (colon == NULL || (colon[1] != ':' && colon[1] != '\0'))
			return SET_REFUSED;
		*colon++ = '\0';
		colon = *colon == ':' ? colon : NULL;
		text++;
	} else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
		colon = NULL; /* an IPv6 address */
	}
	if (colon != NULL) {
		if (text_number(colon + 1, 1, PORT_MOST, &number) != 0)
			return SET_REFUSED;
		*colon = '\0';
	}
	*port = (uint16_t)number;
	return key_read_address(parse, what, text, addr);
}

enum set_result
key_set_peer_listen(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	return key_peer_read(parse, "director's address", value, &parse->conf->peer_address, &parse->conf->peer_port);
}

bool
key_print_peer_listen(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)service;
	addr_format_port(&conf->peer_address, conf->peer_port, text);
	return index == 0 && addr_is_set(&conf->peer_address);
}

enum set_result
key_set_peer_name(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	if (!key_is_name(value))
		return SET_REFUSED;
	(void)snprintf(parse->conf->peer_name, sizeof(parse->conf->peer_name), "%s", value);
	return SET_OK;
}

bool
key_print_peer_name(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->peer_name);
	return index == 0 && conf->peer_name[0] != '\0';
}

/* "lb2 192.0.2.2:9191" */
enum set_result
key_set_peer(struct parse *parse, struct draft *draft, char *value)
{
	struct conf *conf = parse->conf;
	struct conf_peer peer = { .port = 0 };
	const char *name = text_next_word(&value);
	char *where = text_next_word(&value);
	enum set_result result;

	(void)draft;
	if (name == NULL || where == NULL || text_next_word(&value) != NULL || !key_is_name(name))
		return SET_REFUSED;
	if (!HAVE_TLS)
		return parse_refuse(parse, "`peer` needs OpenSSL, and this dsrd was built without: configure says why");
	result = key_peer_read(parse, "peer's address", where, &peer.addr, &peer.port);
	if (result != SET_OK)
		return result;
	for (size_t i = 0; i < conf->peer_count; i++)
		if (strcmp(conf->peers[i].name, name) == 0 || addr_equal(&conf->peers[i].addr, &peer.addr))
			return parse_refuse(parse, "`peer` %s has the name or the address of another peer: each "
			    "director has its own",
			    name);
	if (conf->peer_count == CONF_PEERS)
		return parse_refuse(parse, "more than %u peers: each director sends to each, so divide them into "
		    "groups that "
		    "share nothing", CONF_PEERS);
	(void)snprintf(peer.name, sizeof(peer.name), "%s", name);
	conf->peers[conf->peer_count++] = peer;
	return SET_OK;
}

bool
key_print_peer(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct conf_peer *peer = &conf->peers[index];
	char where[ADDR_PORT_TEXT];

	(void)service;
	if (index >= conf->peer_count)
		return false;
	(void)snprintf(text, KEY_TEXT, "%s %s", peer->name, addr_format_port(&peer->addr, peer->port, where));
	return true;
}
