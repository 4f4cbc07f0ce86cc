/* SPDX-License-Identifier: ISC */
/*
 * dsrd.conf: INI text, read with inih, to settings. One table of keys (conf_key()) drives the parser, the defaults, the
 * messages, `dsrd -T` and the man page's check. All errors of a file are found in one go.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/errlist.h"
#include "base/iface.h"
#include "base/log.h"
#include "model/settings.h"

#define CONF_USER 64
#define CONF_PATH 200 /* more than a line can hold */
#define CONF_CONTROL RUNSTATEDIR "/dsrd.sock" /* of this build */
#define CONF_SOCKET 104 /* struct sockaddr_un of the BSDs has no room for a longer path */

/* Where the frames of decided flows are forwarded. */
enum conf_offload {
	OFFLOAD_AUTO = 0, /* the kernel, by the way that suits it */
	OFFLOAD_TC,
	OFFLOAD_XDP,
	OFFLOAD_OFF       /* dsrd itself */
};
const char *conf_offload_name(enum conf_offload offload);

/* What the processes take from themselves after the start. */
enum conf_sandbox {
	SANDBOX_ON = 0,
	SANDBOX_LOG, /* what would be refused is logged */
	SANDBOX_OFF
};

/* Another director. */
struct conf_peer {
	char name[NAME_MOST];
	struct addr addr;
	uint16_t port;
};

#define CONF_PEERS 7        /* eight directors in all: each sends to each */
#define CONF_PEER_PORT 9191

struct conf {
	char iface[IFACE_NAME];  /* `interface` of [dsrd]; empty when not given */
	char user[CONF_USER];    /* user[:group] to become */
	enum conf_sandbox sandbox;
	enum log_sink log;
	enum conf_offload offload;
	bool bypass;   /* frames leave past the queue discipline */
	bool withhold; /* the host's own stack does not see frames for VIPs */
	char hash_key[CONF_PATH]; /* as it was given; empty: settings.hash_key is that of "dsrd", unless the daemon has its own */
	char control[CONF_SOCKET]; /* the control socket's path, or "off"; empty: CONF_CONTROL */
	char state[CONF_PATH];   /* the state file's path, or "off"; empty: see conf_state_path() */
	char control_group[CONF_USER];
	bool control_change; /* that group may change things, not only look */
	struct addr http_address; /* where the page and the metrics are served; unset: nowhere */
	uint16_t http_port;
	char http_host[CONF_PATH]; /* names that requests may be for, separated by blanks or commas */
	char ready_file[CONF_PATH]; /* where a number says whether this director can take over; empty: nowhere */
	char notify[NOTIFY_PATH]; /* a program to run when states change; empty: none */
	struct conf_peer peers[CONF_PEERS];
	size_t peer_count;
	char peer_name[NAME_MOST];     /* of this director; empty: its host's */
	struct addr peer_address;      /* where peers connect to it; unset: there are none */
	uint16_t peer_port;
	char sync_key_file[CONF_PATH]; /* empty: there are no peers */
	struct mac mac;          /* offline mode only: the director's own, zero when not given */
	uint32_t mtu;            /* offline mode only: of the capture's network, 0 when not given */
	struct prefix address4;  /* offline mode only: the director's own, unset when not given */
	struct prefix address6;
	struct settings settings;
};

/*
 * 0 and `*conf` filled, or -1 with at least one error added to `errors` and nothing to free. `conf_read` takes an open
 * stream and the name to use in messages: it is what fuzzers and tests call.
 */
NODISCARD int conf_load(const char *path, struct conf *conf, struct errlist *errors);
NODISCARD int conf_read(FILE *in, const char *name, struct conf *conf, struct errlist *errors);
/*
 * The two halves of conf_load(), for two processes: one asks the file system and writes all answers to `record`, the
 * other plays them and touches no file. conf_record() returns -1 when the record could not be written. `denied`: a
 * file could not be opened for lack of permission.
 */
NODISCARD int conf_record(const char *path, FILE *record);
NODISCARD int conf_play(const char *path, const char *record, size_t length, struct conf *conf, struct errlist *errors,
    bool *denied);
void conf_clear(struct conf *conf);

/* Another `interface` than the file's: services that stood on that one move along. */
void conf_set_iface(struct conf *conf, const char *iface);
/* 0, or -1 with an error added when a service has no interface: what only offline mode can do without. */
NODISCARD int conf_need_iface(const struct conf *conf, const char *path, struct errlist *errors);

/* Where the state of a director of this configuration is kept, or "off". */
void conf_state_path(const struct conf *conf, char path[CONF_PATH]);

/*
 * The effective configuration, defaults filled in, in the syntax of the file; keys of [dsrd] that have no value as
 * comments.
 */
void conf_dump(const struct conf *conf, FILE *out);

#define CONF_IN_DSRD 1U
#define CONF_IN_DEFAULTS 2U
#define CONF_IN_SERVICE 4U
#define CONF_AT_START 8U /* no section: a running director does not take another value, the next start does */

/* What is public about a key: where it may stand, what it takes, its default. `fallback` is NULL for keys without. */
struct conf_key_info {
	const char *name;
	unsigned sections;
	const char *takes;
	const char *fallback;
};

/* `index` from 0 on; NULL past the last. */
const struct conf_key_info *conf_key(size_t index);

/* What is different between two configurations, in the words of the file. The table of keys drives it. Pure. */
enum conf_change_kind {
	CONF_ADDED = 0,
	CONF_REMOVED,
	CONF_CHANGED
};

/* Texts hold during the call only. */
struct conf_change {
	enum conf_change_kind kind;
	const char *service; /* NULL: of [dsrd] */
	const char *key;     /* NULL: the whole service came or went */
	const char *before;  /* NULL when it was not there */
	const char *after;
	bool at_start;       /* it takes effect when dsrd starts the next time */
};

/*
 * Services are the same by name, servers by name, address and interface, other repeated keys by their whole value.
 * Within a key changes come sorted. 0, or -1 when memory is out.
 */
NODISCARD int conf_compare(const struct conf *before, const struct conf *after,
    void (*each)(void *context, const struct conf_change *change), void *context);
const char *conf_change_name(enum conf_change_kind kind); /* "added", "removed", "changed" */

#endif
