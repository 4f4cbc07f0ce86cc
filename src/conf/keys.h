/* SPDX-License-Identifier: ISC */
/* The one table of all keys: what may stand where, how it is read and written, what it is by default. */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/source.h"

#define PORT_MOST 65535
#define CONNECTIONS_MOST (1U << 28) /* about 17 GB of flows: more is a slip of the finger */

/* Room for any value in the syntax of the file. */
#define KEY_TEXT 256

/* How a value is read and written. */
enum key_kind {
	KEY_OWN = 0,  /* by the functions of the row */
	KEY_DURATION, /* uint64_t, microseconds; 0 when the key was not given and has no default */
	KEY_NUMBER,   /* uint32_t, 0 likewise */
	KEY_SIZE,     /* the same, and takes k and m */
	KEY_CHOICE,   /* an enum or a bool: the number of the word */
	KEY_FLAG,     /* bool */
	KEY_STRING,   /* char []: text of the characters in `allowed`, or of any; empty when not given */
	KEY_PATH      /* char []: an absolute path, or "off" */
};

struct key {
	struct conf_key_info info;
	enum key_kind kind;
	bool repeats;
	bool of_conf;  /* `member` is one of struct conf, not of struct service_settings */
	size_t member; /* its offset and size */
	size_t size;
	uint64_t least;
	uint64_t most;
	const char *const *words; /* NULL at the end */
	const char *allowed;
	/* Reads `value`, which it may change, into the section that is being read. */
	enum set_result (*set)(struct parse *parse, struct draft *draft, char *value);
	/* Writes the `index`th value. False when there is none. */
	bool (*print)(const struct conf *conf, const struct service_settings *service, size_t index,
	    char text[KEY_TEXT]);
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

/* The functions of the keys that have a grammar of their own. */
#define KEY_FUNCTIONS(name) \
	enum set_result key_set_##name(struct parse *parse, struct draft *draft, char *value); \
	bool key_print_##name(const struct conf *conf, const struct service_settings *service, size_t index, \
	    char text[KEY_TEXT])
/* key_net.c */
KEY_FUNCTIONS(interface);
KEY_FUNCTIONS(http);
KEY_FUNCTIONS(mac);
KEY_FUNCTIONS(address);
KEY_FUNCTIONS(probe_address);
/* key_peer.c */
KEY_FUNCTIONS(peer);
KEY_FUNCTIONS(peer_name);
KEY_FUNCTIONS(peer_listen);
/* key_service.c */
KEY_FUNCTIONS(scheduler);
KEY_FUNCTIONS(persist);
KEY_FUNCTIONS(quorum);
KEY_FUNCTIONS(limit_new);
KEY_FUNCTIONS(outlier);
KEY_FUNCTIONS(notify);
/* key_quic.c */
KEY_FUNCTIONS(quic_lb);
/* key_announce.c */
KEY_FUNCTIONS(announce);
/* key_role.c */
KEY_FUNCTIONS(role);
KEY_FUNCTIONS(peer_mac);
KEY_FUNCTIONS(ready_file);
KEY_FUNCTIONS(group);
/* key_value.c */
KEY_FUNCTIONS(listen);
KEY_FUNCTIONS(server);
KEY_FUNCTIONS(gateway);
/* key_check.c, key_check_print.c */
KEY_FUNCTIONS(check);
KEY_FUNCTIONS(vip_payload);

/* The option `quic-id` of a server; " quic-id=0a01,02", empty without one; and one ID. */
enum set_result key_set_quic_ids(struct parse *parse, struct server_settings *server, const char *value);
#define QUIC_ID_TEXT (2 * QUIC_ID_MOST + 1)
#define QUIC_IDS_TEXT (QUIC_IDS * QUIC_ID_TEXT + 16)
void key_print_quic_ids(const struct server_settings *server, char text[QUIC_IDS_TEXT]);
void key_print_quic_id(const struct quic_id *id, char text[QUIC_ID_TEXT]);

/* The key that `hash-key` makes of its text: dsrd.conf(5), CONSISTENT HASHING. */
struct siphash_key hash_key_derive(const char *text);
/* A VIP's, server's or director's address: `what` is its name in the messages. */
enum set_result key_read_address(struct parse *parse, const char *what, const char *text, struct addr *addr);
/* key_role.c: the group of that name, made if need be. NULL: too many, or not a name, which was reported. */
struct role_settings *key_role_group(struct parse *parse, const char *name);
/* A network interface's name. */
bool key_read_iface(const char *text, char iface[IFACE_NAME]);
bool key_is_name(const char *text);
/* Names with commas between, such as "web1,web9". */
bool key_is_name_list(const char *text);

/* What the reader (key_check.c) and the writer (key_check_print.c) of `check` share. */
struct number_name {
	const char *name; /* NULL at the end of a table */
	uint16_t number;
};

extern const struct number_name check_dns_types[];
extern const struct number_name check_dns_rcodes[];

#define DNS_A 1
#define DNS_AAAA 28

/* Behind what `text` holds: the bytes in quotes, as the reader takes them. */
void check_append_quoted(char text[KEY_TEXT], const uint8_t *bytes, size_t length);

#endif
