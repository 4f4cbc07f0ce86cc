/* SPDX-License-Identifier: ISC */
/* The one table of all keys: what may stand where, how it is read and written, what it is by default. */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/source.h"

enum set_result {
	SET_OK = 0,
	SET_REFUSED, /* not a valid value: the caller reports what is allowed */
	SET_REPORTED     /* the setter has said what is wrong */
};

#define PORT_MOST 65535
#define CONNECTIONS_MOST (1U << 28) /* about 17 GB of flows: more is a slip of the finger */

/* Room for any value in the syntax of the file. */
#define KEY_TEXT 256

/* A key that only sets a member of struct service_settings needs no functions: its row describes the member. */
enum key_kind {
	KEY_BY_FUNCTIONS = 0,
	KEY_DURATION, /* uint64_t, microseconds; 0 when the key was not given and has no default */
	KEY_NUMBER,   /* uint32_t */
	KEY_FLAG      /* bool */
};

struct key {
	struct conf_key_info info;
	bool repeats;
	/* Reads `value`, which it may change, into the section that is being read. */
	enum set_result (*set)(struct parse *parse, struct draft *draft, char *value);
	/* Writes the `index`th value. False when there is none. NULL for a key that is not part of the result. */
	bool (*print)(const struct conf *conf, const struct service_settings *service, size_t index,
	    char text[KEY_TEXT]);
	enum key_kind kind;
	size_t member; /* offsetof(struct service_settings, ...) */
	uint64_t least;
	uint64_t most;
};

extern const struct key keys[KEY_COUNT];

/* Reads a value by the key's functions or its row. */
enum set_result key_set(const struct key *key, struct parse *parse, struct draft *draft, char *value);
/* Writes the `index`th value, like `print`; false when there is none. */
bool key_print(const struct key *key, const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
/* False for a key that is not part of the result: `include`. */
bool key_is_printed(const struct key *key);

/* A line of the file. */
void key_take(struct parse *parse, const char *name, const char *value);
/* Gives `draft` what it was not given: from [defaults], if it is a service, else the table's default. */
void key_fill(struct parse *parse, struct draft *draft);

/* value.c: the two values that have a grammar of their own. */
enum set_result value_set_listen(struct parse *parse, struct draft *draft, char *value);
bool value_print_listen(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
enum set_result value_set_server(struct parse *parse, struct draft *draft, char *value);
bool value_print_server(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
/* check_value.c */
enum set_result value_set_check(struct parse *parse, struct draft *draft, char *value);
bool value_print_check(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
/* key_notify.c */
enum set_result value_set_notify(struct parse *parse, struct draft *draft, char *value);
bool value_print_notify(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
/* flow_value.c */
#define FLOW_VALUE(name) \
	enum set_result value_set_##name(struct parse *parse, struct draft *draft, char *value); \
	bool value_print_##name(const struct conf *conf, const struct service_settings *service, size_t index, \
	    char text[KEY_TEXT])
FLOW_VALUE(hash_key);
/* The key that `hash-key` makes of its text: dsrd.conf(5), CONSISTENT HASHING. */
struct siphash_key hash_key_derive(const char *text);
FLOW_VALUE(persist);
FLOW_VALUE(warmup);
FLOW_VALUE(on_down);
FLOW_VALUE(timeout_established);
FLOW_VALUE(timeout_syn);
FLOW_VALUE(timeout_fin);
FLOW_VALUE(timeout_closed);
FLOW_VALUE(timeout_udp);
/* vip_value.c, and the payload in check_value.c */
FLOW_VALUE(probe_address);
FLOW_VALUE(vip_check);
FLOW_VALUE(vip_conflict);
FLOW_VALUE(vip_payload);
/* value_wire.c */
FLOW_VALUE(offload);
FLOW_VALUE(queue_discipline);
FLOW_VALUE(withhold);
/* value_control.c */
enum set_result value_set_control(struct parse *parse, struct draft *draft, char *value);
bool value_print_control(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
enum set_result value_set_control_group(struct parse *parse, struct draft *draft, char *value);
bool value_print_control_group(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
enum set_result value_set_control_group_may(struct parse *parse, struct draft *draft, char *value);
bool value_print_control_group_may(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
enum set_result value_set_state(struct parse *parse, struct draft *draft, char *value);
bool value_print_state(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
enum set_result value_set_http(struct parse *parse, struct draft *draft, char *value);
bool value_print_http(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
enum set_result value_set_http_host(struct parse *parse, struct draft *draft, char *value);
bool value_print_http_host(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT]);
/* A VIP's, server's or director's address: `what` is its name in the messages. */
enum set_result value_set_address(struct parse *parse, const char *what, const char *text, struct addr *addr);
/* A network interface's name. */
bool value_set_iface(const char *text, char iface[IFACE_NAME]);
bool value_is_name(const char *text);
/* Names with commas between, such as "web1,web9". */
bool value_is_name_list(const char *text);

#endif
