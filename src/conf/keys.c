/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/keys.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "conf/reader.h"
#include "sched/scheduler.h"

#define CONNECTIONS_LEAST 16           /* conn_table_new() */
#define DURATION_LEAST MILLISECONDS(10)
#define DURATION_MOST MINUTES(60)
#define MTU_LEAST 576                  /* what every host takes: RFC 791 */
#define MTU_MOST 65535                 /* the largest IPv4 datagram */
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
		parse_error(parse,
		    "`%s` is not a unicast MAC address",
		    value);
		return SET_REPORTED;
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
set_mtu(struct parse *parse, struct draft *draft, char *value)
{
	uint64_t number;

	(void)draft;
	if (text_number(value, MTU_LEAST, MTU_MOST, &number) != 0)
		return SET_REFUSED;
	parse->conf->mtu = (uint32_t)number;
	return SET_OK;
}

static bool
print_mtu(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	return print_number(conf->mtu, index, text) && conf->mtu != 0;
}

/* "192.0.2.250/24" */
static enum set_result
set_own_prefix(struct parse *parse, char *word)
{
	char *slash = strchr(word, '/');
	struct prefix prefix = { 0 }, *own;
	uint64_t length;
	enum set_result result;

	if (slash == NULL)
		return SET_REFUSED;
	*slash = '\0';
	result = value_set_address(parse, "director's address", word, &prefix.addr);
	if (result != SET_OK)
		return result;
	if (text_number(slash + 1, 1, prefix.addr.family == ADDR_IPV4 ? 32 : 128, &length) != 0)
		return SET_REFUSED;
	prefix.length = (uint8_t)length;
	own = prefix.addr.family == ADDR_IPV4 ? &parse->conf->address4 : &parse->conf->address6;
	if (addr_is_set(&own->addr)) {
		parse_error(parse, "`address` can have one IPv4 and one IPv6 address, and `%s` is a second", word);
		return SET_REPORTED;
	}
	*own = prefix;
	return SET_OK;
}

static enum set_result
set_address(struct parse *parse, struct draft *draft, char *value)
{
	enum set_result result = SET_REFUSED;
	char *word;

	(void)draft;
	while ((word = text_next_word(&value)) != NULL) {
		result = set_own_prefix(parse, word);
		if (result != SET_OK)
			return result;
	}
	return result;
}

static bool
print_address(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct prefix *given[2];
	size_t count = 0;
	char addr[ADDR_TEXT];

	(void)service;
	if (addr_is_set(&conf->address4.addr))
		given[count++] = &conf->address4;
	if (addr_is_set(&conf->address6.addr))
		given[count++] = &conf->address6;
	if (index >= count)
		return false;
	(void)snprintf(text, KEY_TEXT, "%s/%u", addr_format(&given[index]->addr, addr), given[index]->length);
	return true;
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
	parse_error(parse, "unknown scheduler `%s`, did you mean `%s`?", value, nearest);
	return SET_REPORTED;
}

static bool
print_scheduler(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", service->scheduler->name);
	return index == 0;
}

enum set_result
key_set(const struct key *key, struct parse *parse, struct draft *draft, char *value)
{
	char *member = (char *)&draft->service + key->member;
	uint64_t number = 0;

	switch (key->kind) {
	case KEY_BY_FUNCTIONS:
		return key->set(parse, draft, value);
	case KEY_DURATION:
		if (text_duration(value, &number) != 0 || number < key->least || number > key->most)
			return SET_REFUSED;
		memcpy(member, &number, sizeof(number));
		return SET_OK;
	case KEY_NUMBER:
		if (text_number(value, key->least, key->most, &number) != 0)
			return SET_REFUSED;
		memcpy(member, &(uint32_t) { (uint32_t)number }, sizeof(uint32_t));
		return SET_OK;
	case KEY_FLAG:
		return text_bool(value, (bool *)member) == 0 ? SET_OK : SET_REFUSED;
	}
	return SET_REFUSED;
}

static bool
print_member(const struct key *key, const char *member, char text[KEY_TEXT])
{
	char duration[DURATION_TEXT];
	uint64_t time;
	uint32_t number;

	switch (key->kind) {
	case KEY_BY_FUNCTIONS:
		break;
	case KEY_DURATION:
		memcpy(&time, member, sizeof(time));
		(void)snprintf(text, KEY_TEXT, "%s", text_format_duration(time, duration));
		return time != 0 || key->least == 0;
	case KEY_NUMBER:
		memcpy(&number, member, sizeof(number));
		(void)snprintf(text, KEY_TEXT, "%u", (unsigned)number);
		return true;
	case KEY_FLAG:
		(void)snprintf(text, KEY_TEXT, "%s", *(const bool *)member ? "yes" : "no");
		return true;
	}
	return false;
}

bool
key_print(const struct key *key, const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	if (key->kind == KEY_BY_FUNCTIONS)
		return key->print(conf, service, index, text);
	return index == 0 && print_member(key, (const char *)service + key->member, text);
}

bool
key_is_printed(const struct key *key)
{
	return key->kind != KEY_BY_FUNCTIONS || key->print != NULL;
}

/* "2", "50%" */
static bool
set_quorum_word(const char *word, struct quorum *quorum)
{
	char digits[16];
	const size_t length = strlen(word);
	const bool percent = length > 0 && word[length - 1] == '%';
	uint64_t number;

	if (length >= sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(length - percent), word);
	if (text_number(digits, 1, percent ? 100 : SERVERS_MOST, &number) != 0)
		return false;
	*quorum = (struct quorum) { (uint16_t)number, percent };
	return true;
}

/* "2", "50% recover=75%" */
static enum set_result
set_quorum(struct parse *parse, struct draft *draft, char *value)
{
	const char *word = text_next_word(&value);
	const char *option = text_next_word(&value);

	(void)parse;
	draft->service.recover = (struct quorum) { 0, false };
	if (word == NULL || !set_quorum_word(word, &draft->service.quorum) || text_next_word(&value) != NULL)
		return SET_REFUSED;
	if (option == NULL)
		return SET_OK;
	if (strncmp(option, "recover=", strlen("recover=")) != 0)
		return SET_REFUSED;
	return set_quorum_word(option + strlen("recover="), &draft->service.recover) ? SET_OK : SET_REFUSED;
}

/* "warn", "eject max=20%" */
static enum set_result
set_outlier(struct parse *parse, struct draft *draft, char *value)
{
	static const char *const words[] = { [OUTLIER_WARN] = "warn", [OUTLIER_OFF] = "off", [OUTLIER_EJECT] = "eject" };
	const char *word = text_next_word(&value);
	const char *option = text_next_word(&value);
	struct quorum most = { OUTLIER_MAX, true };
	size_t found = 0;

	(void)parse;
	while (word != NULL && found < ARRAY_LEN(words) && strcmp(word, words[found]) != 0)
		found++;
	if (word == NULL || found == ARRAY_LEN(words) || text_next_word(&value) != NULL)
		return SET_REFUSED;
	if (option != NULL && (found != OUTLIER_EJECT || strncmp(option, "max=", strlen("max=")) != 0 ||
	    !set_quorum_word(option + strlen("max="), &most) || !most.percent))
		return SET_REFUSED;
	draft->service.outlier = (enum outlier_policy)found;
	draft->service.outlier_max = (uint8_t)most.number;
	return SET_OK;
}

static bool
print_outlier(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	if (service->outlier == OUTLIER_EJECT)
		(void)snprintf(text, KEY_TEXT, "eject max=%u%%", service->outlier_max == 0 ? OUTLIER_MAX : service->outlier_max);
	else
		(void)snprintf(text, KEY_TEXT, "%s", service->outlier == OUTLIER_OFF ? "off" : "warn");
	return index == 0;
}

static bool
print_quorum(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct quorum *quorum = &service->quorum, *recover = &service->recover;
	char more[32] = "";

	(void)conf;
	if (recover->number != 0)
		(void)snprintf(more, sizeof(more), " recover=%u%s", recover->number, recover->percent ? "%" : "");
	(void)snprintf(text, KEY_TEXT, "%u%s%s", quorum->number, quorum->percent ? "%" : "", more);
	return index == 0 && quorum->number != 0;
}

/* For a key with functions: sets all members of the row, since some compilers require it. */
#define FUNCTIONS(repeats, set, print) repeats, set, print, KEY_BY_FUNCTIONS, 0, 0, 0
#define MEMBER(name, kind, least, most) false, NULL, NULL, kind, offsetof(struct service_settings, name), least, most
#define CHECK_TIME(name) MEMBER(name, KEY_DURATION, DURATION_LEAST, DURATION_MOST)
#define STREAK(name) MEMBER(name, KEY_NUMBER, 1, STREAK_MOST)
#define IN_ALL (CONF_IN_DSRD | CONF_IN_DEFAULTS | CONF_IN_SERVICE)
#define IN_SERVICES (CONF_IN_DEFAULTS | CONF_IN_SERVICE)
#define FLOW_TIME "a duration from 1s to 24d, such as 90s, 15m or 2h"

const struct key keys[KEY_COUNT] = {
	[KEY_INTERFACE] = { { "interface", IN_ALL, "the name of a network interface, such as eth0", NULL },
	    FUNCTIONS(false, set_interface, print_interface) },
	[KEY_USER] = { { "user", CONF_IN_DSRD | CONF_AT_START, "a user or user:group", DSRD_USER },
	    FUNCTIONS(false, set_user, print_user) },
	[KEY_LOG] = { { "log", CONF_IN_DSRD, "syslog or stderr", "syslog" },
	    FUNCTIONS(false, set_log, print_log) },
	[KEY_CONTROL] = { { "control", CONF_IN_DSRD | CONF_AT_START, "an absolute path of at most 103 bytes, or off", NULL },
	    FUNCTIONS(false, value_set_control, value_print_control) },
	[KEY_CONTROL_GROUP] = { { "control-group", CONF_IN_DSRD | CONF_AT_START, "a group's name", NULL },
	    FUNCTIONS(false, value_set_control_group, value_print_control_group) },
	[KEY_CONTROL_GROUP_MAY] = { { "control-group-may", CONF_IN_DSRD, "look or change", "look" },
	    FUNCTIONS(false, value_set_control_group_may, value_print_control_group_may) },
	[KEY_STATE] = { { "state", CONF_IN_DSRD | CONF_AT_START, "the absolute path of a file, or off", NULL },
	    FUNCTIONS(false, value_set_state, value_print_state) },
	[KEY_HTTP] = { { "http", CONF_IN_DSRD | CONF_AT_START, "ADDRESS:PORT, such as 127.0.0.1:9190 or [::1]:9190, or off", NULL },
	    FUNCTIONS(false, value_set_http, value_print_http) },
	[KEY_HTTP_HOST] = { { "http-host", CONF_IN_DSRD | CONF_AT_START, "names of hosts, such as director.example.org, or addresses",
	    NULL }, FUNCTIONS(false, value_set_http_host, value_print_http_host) },
	[KEY_CONNECTIONS] = { { "connections", CONF_IN_DSRD | CONF_AT_START, "a number from 16 to 256m, where k is 1024 and m 1024k",
	    "1000000" }, FUNCTIONS(false, set_connections, print_connections) },
	[KEY_OFFLOAD] = { { "offload", CONF_IN_DSRD | CONF_AT_START, "auto, tc, xdp or off", "auto" },
	    FUNCTIONS(false, value_set_offload, value_print_offload) },
	[KEY_QUEUE_DISCIPLINE] = { { "queue-discipline", CONF_IN_DSRD | CONF_AT_START, "use or bypass", "use" },
	    FUNCTIONS(false, value_set_queue_discipline, value_print_queue_discipline) },
	[KEY_WITHHOLD] = { { "withhold", CONF_IN_DSRD | CONF_AT_START, "yes or no", "no" },
	    FUNCTIONS(false, value_set_withhold, value_print_withhold) },
	[KEY_HASH_KEY] = { { "hash-key", CONF_IN_DSRD, "any text", NULL },
	    FUNCTIONS(false, value_set_hash_key, value_print_hash_key) },
	[KEY_PROBE_ADDRESS] = { { "probe-address", CONF_IN_DSRD,
	    "an address that no host has, or two: one IPv4, one IPv6, such as 192.0.2.250", NULL },
	    FUNCTIONS(false, value_set_probe_address, value_print_probe_address) },
	[KEY_INCLUDE] = { { "include", CONF_IN_DSRD, "a file's name or a pattern, such as dsrd.d/*.conf", NULL },
	    FUNCTIONS(true, set_include, NULL) },
	[KEY_NOTIFY] = { { "notify", IN_ALL, "the absolute path of a program, or off; in services also servers=NAME,...", NULL },
	    FUNCTIONS(true, value_set_notify, value_print_notify) },
	[KEY_MAC] = { { "mac", CONF_IN_DSRD, "a MAC address, such as 02:00:00:00:00:01", NULL },
	    FUNCTIONS(false, set_mac, print_mac) },
	[KEY_MTU] = { { "mtu", CONF_IN_DSRD, "a number from 576 to 65535", NULL },
	    FUNCTIONS(false, set_mtu, print_mtu) },
	[KEY_ADDRESS] = { { "address", CONF_IN_DSRD,
	    "an address and its prefix length, such as 192.0.2.250/24, of IPv4, IPv6 or each", NULL },
	    FUNCTIONS(true, set_address, print_address) },
	[KEY_LISTEN] = { { "listen", CONF_IN_SERVICE,
	    "ADDRESS PROTOCOL/PORTS ..., such as 192.0.2.10 tcp/80,443 udp/8000-8099", NULL },
	    FUNCTIONS(true, value_set_listen, value_print_listen) },
	[KEY_SCHEDULER] = { { "scheduler", IN_SERVICES,
	    "one of rr wrr lc wlc sed nq sh maglev twos fo ovf lblc dh random least-latency", "wlc" },
	    FUNCTIONS(false, set_scheduler, print_scheduler) },
	[KEY_PERSIST] = { { "persist", IN_SERVICES,
	    "off, or a duration from 1s to 24d and, if wished, prefix lengths of IPv4 and IPv6, such as 5m /24 /64",
	    "off" }, FUNCTIONS(false, value_set_persist, value_print_persist) },
	[KEY_WARMUP] = { { "warmup", IN_SERVICES, "a duration from 0s (off) to 1h, such as 30s", "0s" },
	    FUNCTIONS(false, value_set_warmup, value_print_warmup) },
	[KEY_ON_DOWN] = { { "on-down", IN_SERVICES, "keep or move", "keep" },
	    FUNCTIONS(false, value_set_on_down, value_print_on_down) },
	[KEY_ONE_PACKET] = { { "one-packet", IN_SERVICES, "yes or no", "no" },
	    MEMBER(one_packet, KEY_FLAG, 0, 0) },
	[KEY_TIMEOUT_ESTABLISHED] = { { "timeout-established", IN_SERVICES, FLOW_TIME, "15m" },
	    FUNCTIONS(false, value_set_timeout_established, value_print_timeout_established) },
	[KEY_TIMEOUT_SYN] = { { "timeout-syn", IN_SERVICES, FLOW_TIME, "1m" },
	    FUNCTIONS(false, value_set_timeout_syn, value_print_timeout_syn) },
	[KEY_TIMEOUT_FIN] = { { "timeout-fin", IN_SERVICES, FLOW_TIME, "2m" },
	    FUNCTIONS(false, value_set_timeout_fin, value_print_timeout_fin) },
	[KEY_TIMEOUT_CLOSED] = { { "timeout-closed", IN_SERVICES, FLOW_TIME, "10s" },
	    FUNCTIONS(false, value_set_timeout_closed, value_print_timeout_closed) },
	[KEY_TIMEOUT_UDP] = { { "timeout-udp", IN_SERVICES, FLOW_TIME, "5m" },
	    FUNCTIONS(false, value_set_timeout_udp, value_print_timeout_udp) },
	[KEY_CHECK] = { { "check", IN_SERVICES,
	    "tcp, http, https, icmp, dns, udp, script or none, and options, such as tcp port=80", "tcp" },
	    FUNCTIONS(true, value_set_check, value_print_check) },
	[KEY_INTERVAL] = { { "interval", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", "2s" },
	    CHECK_TIME(interval) },
	[KEY_RETRY] = { { "retry", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", NULL },
	    CHECK_TIME(retry) },
	[KEY_TIMEOUT] = { { "timeout", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", "1s" },
	    CHECK_TIME(timeout) },
	[KEY_RISE] = { { "rise", IN_SERVICES, "a number from 1 to 1000", "2" },
	    STREAK(rise) },
	[KEY_FALL] = { { "fall", IN_SERVICES, "a number from 1 to 1000", "3" },
	    STREAK(fall) },
	[KEY_QUORUM] = { { "quorum", IN_SERVICES, "a number or a percentage of servers, and, if wished, recover=N or recover=P%, "
	    "such as 2, 50% or 2 recover=3", "1" },
	    .set = set_quorum, .print = print_quorum },
	[KEY_VIP_CHECK] = { { "vip-check", IN_SERVICES, "require, warn or off", "require" },
	    FUNCTIONS(false, value_set_vip_check, value_print_vip_check) },
	[KEY_VIP_PAYLOAD] = { { "vip-payload", IN_SERVICES, "a text in quotes, such as \"ping\\r\\n\"", NULL },
	    FUNCTIONS(false, value_set_vip_payload, value_print_vip_payload) },
	[KEY_VIP_CONFLICT] = { { "vip-conflict", IN_SERVICES, "log, announce or remove", "log" },
	    FUNCTIONS(false, value_set_vip_conflict, value_print_vip_conflict) },
	[KEY_OUTLIER] = { { "outlier", IN_SERVICES, "off, warn or eject, which may be followed by max=P%, such as eject max=20%",
	    "warn" }, .set = set_outlier, .print = print_outlier },
	[KEY_SERVER] = { { "server", CONF_IN_SERVICE,
	    "NAME ADDRESS [weight=N] [max-connections=N] [mac=MAC] [interface=NAME] [backup], "
	    "such as web1 192.0.2.11 weight=3", NULL },
	    FUNCTIONS(true, value_set_server, value_print_server) },
};

const struct conf_key_info *
conf_key(size_t index)
{
	return index < KEY_COUNT ? &keys[index].info : NULL;
}
