/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "conf/reader.h"
#include "lb/pick.h"

#define CONNECTIONS_LEAST 16           /* conn_table_new() */
#define CONNECTIONS_MOST (1U << 28)    /* about 15 GB of flows: more is a slip of the finger */
#define DURATION_LEAST MILLISECONDS(10)
#define DURATION_MOST MINUTES(60)
#define STREAK_MOST 1000               /* `rise` and `fall` */

static enum set_result
set_interface(struct parse *parse, struct draft *draft, char *value)
{
	char *iface = draft->kind == CONF_IN_DSRD ? parse->conf->iface : draft->service.iface;

	return value_set_iface(value, iface) ? SET_OK : SET_REFUSED;
}

static bool
print_interface(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const char *iface = service == NULL ? conf->iface : service->iface;

	(void)snprintf(text, KEY_TEXT, "%s", iface);
	return index == 0 && *iface != '\0';
}

static enum set_result
set_user(struct parse *parse, struct draft *draft, char *value)
{
	const char *colon = strchr(value, ':');
	size_t length = strlen(value);

	(void)draft;
	if (length == 0 || length >= CONF_USER || strpbrk(value, " \t/\"'") != NULL)
		return SET_REFUSED;
	if (colon != NULL && (colon == value || colon[1] == '\0' || strchr(colon + 1, ':') != NULL))
		return SET_REFUSED;
	memcpy(parse->conf->user, value, length + 1);
	return SET_OK;
}

static bool
print_user(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->user);
	return index == 0 && conf->user[0] != '\0';
}

static enum set_result
set_log(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	if (strcmp(value, "syslog") == 0)
		parse->conf->log = SINK_SYSLOG;
	else if (strcmp(value, "stderr") == 0)
		parse->conf->log = SINK_STDERR;
	else
		return SET_REFUSED;
	return SET_OK;
}

static bool
print_log(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->log == SINK_SYSLOG ? "syslog" : "stderr");
	return index == 0;
}

static enum set_result
set_connections(struct parse *parse, struct draft *draft, char *value)
{
	uint64_t number;

	(void)draft;
	if (text_size(value, &number) != 0 || number < CONNECTIONS_LEAST || number > CONNECTIONS_MOST)
		return SET_REFUSED;
	parse->conf->settings.connections = (uint32_t)number;
	return SET_OK;
}

static bool
print_number(uint64_t number, size_t index, char text[KEY_TEXT])
{
	(void)snprintf(text, KEY_TEXT, "%llu", (unsigned long long)number);
	return index == 0;
}

static bool
print_connections(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	return print_number(conf->settings.connections, index, text);
}

static enum set_result
set_include(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	if (*value == '\0')
		return SET_REFUSED;
	parse_include(parse, value);
	return SET_OK;
}

static enum set_result
set_mac(struct parse *parse, struct draft *draft, char *value)
{
	struct mac mac;

	(void)draft;
	if (mac_parse(value, &mac) != 0)
		return SET_REFUSED;
	if (mac_is_zero(&mac) || mac_is_group(&mac)) {
		parse_error(parse, "`%s` is no machine's MAC address: the first byte of those is even, and not all bytes are zero", value);
		return SET_TOLD;
	}
	parse->conf->mac = mac;
	return SET_OK;
}

static bool
print_mac(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	char mac[MAC_TEXT];

	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", mac_format(&conf->mac, mac));
	return index == 0 && !mac_is_zero(&conf->mac);
}

static enum set_result
set_address(struct parse *parse, struct draft *draft, char *value)
{
	char *slash = strchr(value, '/');
	struct prefix prefix;
	uint64_t length;
	enum set_result result;

	(void)draft;
	if (slash == NULL || text_number(slash + 1, 1, 32, &length) != 0)
		return SET_REFUSED;
	*slash = '\0';
	result = value_set_address(parse, "director's address", value, &prefix.addr);
	if (result != SET_OK)
		return result;
	prefix.length = (uint8_t)length;
	parse->conf->address = prefix;
	return SET_OK;
}

static bool
print_address(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	char addr[ADDR_TEXT];

	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s/%u", addr_format(&conf->address.addr, addr), conf->address.length);
	return index == 0 && addr_is_set(&conf->address.addr);
}

static enum set_result
set_scheduler(struct parse *parse, struct draft *draft, char *value)
{
	const struct scheduler *scheduler = scheduler_find(value);
	const char *nearest;

	if (scheduler != NULL) {
		draft->service.scheduler = scheduler;
		return SET_OK;
	}
	nearest = text_nearest(value, scheduler_names());
	if (nearest == NULL)
		return SET_REFUSED;
	parse_error(parse, "there is no scheduler `%s`, did you mean `%s`?", value, nearest);
	return SET_TOLD;
}

static bool
print_scheduler(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", service->scheduler->name);
	return index == 0;
}

static enum set_result
set_check(struct parse *parse, struct draft *draft, char *value)
{
	struct check_settings check = { .kind = CHECK_NONE };
	const char *kind = text_next_word(&value);
	const char *option = text_next_word(&value);
	uint64_t port = 0;

	(void)parse;
	if (kind == NULL || text_next_word(&value) != NULL)
		return SET_REFUSED;
	if (strcmp(kind, "tcp") == 0)
		check.kind = CHECK_TCP;
	else if (strcmp(kind, "none") != 0 || option != NULL)
		return SET_REFUSED;
	if (option != NULL && (strncmp(option, "port=", 5) != 0 || text_number(option + 5, 1, PORT_MOST, &port) != 0))
		return SET_REFUSED;
	check.port = (uint16_t)port;
	draft->service.check = check;
	return SET_OK;
}

static bool
print_check(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	if (service->check.kind == CHECK_NONE)
		(void)snprintf(text, KEY_TEXT, "none");
	else if (service->check.port == 0)
		(void)snprintf(text, KEY_TEXT, "tcp");
	else
		(void)snprintf(text, KEY_TEXT, "tcp port=%u", service->check.port);
	return index == 0;
}

static enum set_result
set_duration(const char *value, uint64_t *duration)
{
	uint64_t number;

	if (text_duration(value, &number) != 0 || number < DURATION_LEAST || number > DURATION_MOST)
		return SET_REFUSED;
	*duration = number;
	return SET_OK;
}

static bool
print_duration(uint64_t duration, size_t index, char text[KEY_TEXT])
{
	char number[DURATION_TEXT];

	(void)snprintf(text, KEY_TEXT, "%s", text_format_duration(duration, number));
	return index == 0;
}

static enum set_result
set_interval(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	return set_duration(value, &draft->service.interval);
}

static bool
print_interval(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	return print_duration(service->interval, index, text);
}

static enum set_result
set_timeout(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	return set_duration(value, &draft->service.timeout);
}

static bool
print_timeout(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	return print_duration(service->timeout, index, text);
}

static enum set_result
set_streak(const char *value, uint32_t *streak)
{
	uint64_t number;

	if (text_number(value, 1, STREAK_MOST, &number) != 0)
		return SET_REFUSED;
	*streak = (uint32_t)number;
	return SET_OK;
}

static enum set_result
set_rise(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	return set_streak(value, &draft->service.rise);
}

static bool
print_rise(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	return print_number(service->rise, index, text);
}

static enum set_result
set_fall(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	return set_streak(value, &draft->service.fall);
}

static bool
print_fall(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	return print_number(service->fall, index, text);
}

#define IN_ALL (CONF_IN_DSRD | CONF_IN_DEFAULTS | CONF_IN_SERVICE)
#define IN_SERVICES (CONF_IN_DEFAULTS | CONF_IN_SERVICE)

const struct key keys[KEY_COUNT] = {
	[KEY_INTERFACE] = { { "interface", IN_ALL, "the name of a network interface, such as eth0", NULL },
	    false, set_interface, print_interface },
	[KEY_USER] = { { "user", CONF_IN_DSRD, "a user or user:group", NULL },
	    false, set_user, print_user },
	[KEY_LOG] = { { "log", CONF_IN_DSRD, "syslog or stderr", "syslog" },
	    false, set_log, print_log },
	[KEY_CONNECTIONS] = { { "connections", CONF_IN_DSRD, "a number from 16 to 256m, where k is 1024 and m 1024k",
	    "1000000" }, false, set_connections, print_connections },
	[KEY_INCLUDE] = { { "include", CONF_IN_DSRD, "a file's name or a pattern, such as dsrd.d/*.conf", NULL },
	    true, set_include, NULL },
	[KEY_MAC] = { { "mac", CONF_IN_DSRD, "a MAC address, such as 02:00:00:00:00:01", NULL },
	    false, set_mac, print_mac },
	[KEY_ADDRESS] = { { "address", CONF_IN_DSRD, "an address and its prefix length, such as 192.0.2.250/24", NULL },
	    false, set_address, print_address },
	[KEY_LISTEN] = { { "listen", CONF_IN_SERVICE,
	    "ADDRESS PROTOCOL/PORTS ..., such as 192.0.2.10 tcp/80,443 udp/8000-8099", NULL },
	    true, value_set_listen, value_print_listen },
	[KEY_SCHEDULER] = { { "scheduler", IN_SERVICES, "rr, wrr, lc or wlc", "wlc" },
	    false, set_scheduler, print_scheduler },
	[KEY_CHECK] = { { "check", IN_SERVICES, "tcp, tcp port=N or none", "tcp" },
	    false, set_check, print_check },
	[KEY_INTERVAL] = { { "interval", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", "2s" },
	    false, set_interval, print_interval },
	[KEY_TIMEOUT] = { { "timeout", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", "1s" },
	    false, set_timeout, print_timeout },
	[KEY_RISE] = { { "rise", IN_SERVICES, "a number from 1 to 1000", "2" },
	    false, set_rise, print_rise },
	[KEY_FALL] = { { "fall", IN_SERVICES, "a number from 1 to 1000", "3" },
	    false, set_fall, print_fall },
	[KEY_SERVER] = { { "server", CONF_IN_SERVICE,
	    "NAME ADDRESS [weight=N] [mac=MAC] [interface=NAME] [backup], such as web1 192.0.2.11 weight=3", NULL },
	    true, value_set_server, value_print_server },
};

const struct conf_key_info *
conf_key(size_t index)
{
	return index < KEY_COUNT ? &keys[index].info : NULL;
}
