/* SPDX-License-Identifier: ISC */
/* Reports about a director: each walks the model once and writes to a writer, text or JSON. */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "announce/announce.h"
#include "base/attr.h"
#include "base/iface.h"
#include "conf/conf.h"
#include "ctl/events.h"
#include "ctl/filter.h"
#include "ctl/selector.h"
#include "ctl/writer.h"
#include "doctor/problem.h"
#include "forward/explain.h"
#include "forward/forward.h"
#include "model/model.h"
#include "model/status.h"
#include "role/status.h"

/* An interface and what its engines count. */
struct report_iface {
	const struct iface *iface;
	bool open;
	uint64_t received;
	uint64_t capture_dropped;
	uint64_t sent;
	uint64_t not_sent;
	const char *offload; /* what the kernel carries by: "tc", "xdp", ... or "off" */
	const char *offload_reason; /* why it is off; empty when it is on, or was not wanted */
};

struct peer_facts;

/* All that reports read. Everything belongs to the daemon. */
struct report_facts {
	uint64_t now;
	uint64_t started;
	uint64_t reloads;
	uint64_t log_lost; /* lines of the log that its reader did not take in time */
	uint64_t loaded; /* when the configuration that runs was read, in seconds since 1970 */
	bool reload_failed;
	bool observe;
	const char *host; /* the director's name; NULL: not known */
	const struct problems *problems; /* NULL: no list */
	const struct role_status *roles; /* by group */
	size_t role_count;
	struct announce_report announce;
	const char *peer_name;           /* this director's, as its peers have it */
	const struct peer_facts *peers;
	size_t peer_count;
	uint64_t peers_refused;          /* connections that no peer made */
	const struct model *model;
	const struct forwarder *forwarder;
	const struct report_iface *ifaces; /* by the director's numbers */
	size_t iface_count;
	/* The user's selection. */
	const struct selection *selection; /* NULL: everything */
	bool only_problems;
	bool all;                          /* also what is well in full */
	uint64_t unix_now;                 /* seconds since 1970 */
};

void report_version(struct writer *writer);
/* The problems of the director itself, with what they mean and how to fix them. */
void report_problems(struct writer *writer, const struct report_facts *facts);
/* The roles, where there are other directors. */
void report_roles(struct writer *writer, const struct report_facts *facts);
/* The VIPs, whether they are announced to routers, and how a drain of this director goes. */
void report_announce(struct writer *writer, const struct report_facts *facts);
/* Can this director serve the group's VIPs, or is it active for them? `group` NULL: all groups. */
bool report_ready(struct writer *writer, const struct report_facts *facts, const char *group);
/* A line a group. */
void report_roles_alive(FILE *out, const struct report_facts *facts);
/*
 * The main screen. Without `facts->all` a director with many servers lists those with problems, and a line per service.
 */
void report_show(struct writer *writer, const struct report_facts *facts);
/* Is something not well of what is selected? */
bool report_has_problems(const struct report_facts *facts);
/*
 * Its parts that change while one looks: the servers' traffic, and cells of a row of services (REPORT_SERVICE_RATES).
 */
void report_traffic(struct writer *writer, const struct report_facts *facts);
#define REPORT_SERVICE_RATES \
	{ "connections_per_second", NULL, true }, { "packets_per_second", NULL, true }, \
	{ "in_bytes_per_second", NULL, true }, { "out_bytes_per_second", NULL, true }
void report_service_rates(struct writer *writer, const struct service *service);
/*
 * The data of the status page: everything in report_show(), and the problems that need attention, each with its
 * command.
 */
void report_status(struct writer *writer, const struct report_facts *facts);
/*
 * Does every service have a server for new connections, and no problem of the director keeps clients from it? Writes
 * "ok", or a line for each that is not so, and why.
 */
bool report_alive(FILE *out, const struct report_facts *facts);
/* Has the service a server that new connections can go to? */
bool report_serves(const struct service *service);
void report_health(struct writer *writer, const struct report_facts *facts);
void report_drops(struct writer *writer, const struct report_facts *facts);
void report_names(struct writer *writer, const struct report_facts *facts);
void report_neighbors(struct writer *writer, const struct report_facts *facts);

bool report_selects_everything(const struct report_facts *facts);
/* Are servers that are well left out, since they are so many that they would hide the others? */
bool report_folds(const struct report_facts *facts);
/* Does it take traffic as configured, and has no operator changed that? */
bool report_is_well(const struct server *server);
/* Is the service, or the server, to be listed in full? */
bool report_lists_service(const struct report_facts *facts, const struct service *service);
bool report_lists(const struct report_facts *facts, const struct server *server);
/* "192.0.2.10 tcp/80" */
#define PORT_TEXT (ADDR_TEXT + 16)
const char *report_port(const struct addr *vip, uint8_t protocol, uint16_t port, char text[PORT_TEXT]);
/* The reason for the server's state; empty when there is nothing to mention. */
const char *report_why(const struct server *server, struct server_status *status);

/* What was changed, would be, or is in force: `dsrctl drain`, `weight`, `reload`, `show config`. */

/* The selected servers after a command; `changed`, by slot: which of them the command affected. */
void report_admin(struct writer *writer, const struct report_facts *facts, const bool *changed);
/* Each difference between two configurations, and what comes of it. 0, or -1 when memory is out. */
NODISCARD int report_plan(struct writer *writer, const struct report_facts *facts, const struct conf *before,
    const struct conf *after);
/* The configuration in force, and what differs from it by operators. 0, or -1 when memory is out. */
NODISCARD int report_config(struct writer *writer, const struct report_facts *facts, const struct conf *conf);
/* "drained; weight 5, the file says 3"; NULL when nothing differs from the file. */
#define DIFFERENCE_TEXT 320
const char *report_difference(const struct server *server, char text[DIFFERENCE_TEXT]);

/* `dsrctl why`: the decision about one flow, step by step. */
#define WHY_ERROR 256

/*
 * Reads "tcp", "203.0.113.7:40000" and "192.0.2.10:80", or "[2001:db8::7]:40000". 0, or -1 with a sentence that names
 * the word that is wrong.
 */
NODISCARD int why_parse(const char *protocol, const char *from, const char *to, struct flow_question *question,
    char error[WHY_ERROR]);
/* 0, or -1 when memory is out. `*forwarded`: would the packet reach a server? */
NODISCARD int report_flow_why(struct writer *writer, const struct report_facts *facts,
    const struct flow_question *question, bool *forwarded);

/* What happened, and what passed in the last hour. */
#define EVENT_FILTER_ERROR SELECTOR_ERROR
#define EVENT_LIMIT 100 /* events that are listed, unless another number is given */

/* All of it must hold; the names and addresses are alternatives. */
struct event_filter {
	struct selector selectors[SELECTORS_MOST];
	size_t count;
	char event[EVENT_VALUE]; /* empty: any name; else a pattern */
	int level;               /* this one or worse */
	uint64_t since;          /* milliseconds since 1970 */
	uint64_t after;          /* numbers above this one */
	uint64_t limit;          /* the newest so many */
};

/* `now`: milliseconds since 1970. 0, or -1 with a sentence. */
NODISCARD int event_filter_parse(const char *const words[], size_t count, uint64_t now, struct event_filter *filter,
    char error[EVENT_FILTER_ERROR]);
/* The name before a "=", NULL behind the last, and what may follow it, as filter_term() has them. */
const char *event_filter_term(size_t index, const char **choices);
/* The newest last. The model has the servers' addresses. */
void report_events(struct writer *writer, const struct events *events, const struct event_filter *filter,
    const struct model *model);
void report_rates(struct writer *writer, const struct history *history);

/* What is in the flow table: `dsrctl show connections`, `show drain`. */

/* Of all flows of a server, in microseconds. */
struct flow_span {
	uint64_t oldest; /* the age of the oldest */
	uint64_t left;   /* in what time the last is forgotten if nothing more is seen of any */
};

/*
 * A scan of the table, a slice at a time. Keeps copies of the first matching flows, and the range of each server's:
 * they show the time when the scan passed.
 */
struct flow_walk {
	struct filter filter;
	uint32_t at;        /* of conn_walk() */
	struct conn *kept;  /* at most filter.limit */
	size_t kept_count;
	uint64_t matched;   /* flows, of which ... */
	uint64_t active;
	struct flow_span *spans; /* by slot; slots may come while it walks */
	size_t slot_count;
};

/* NULL when memory is out. */
NODISCARD struct flow_walk *flow_walk_new(const struct filter *filter, const struct model *model);
void flow_walk_free(struct flow_walk *walk);
/* Some more flows. True when all were seen. */
bool flow_walk_step(struct flow_walk *walk, const struct report_facts *facts);

void report_connections(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk);
/*
 * For the selected servers, or without a selection all that are drained. True when none of them has an active
 * connection, with `facts->all`: any flow.
 */
bool report_drain(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk);

/* The processes of a director, and what each may do. */
#define REPORT_PROCESS_TEXT 160

enum report_confined { REPORT_CONFINED_NO = 0, REPORT_CONFINED_LOG, REPORT_CONFINED_YES };

/* Texts are empty where the system does not tell. */
struct report_process {
	const char *name;
	int64_t pid;
	char user[REPORT_PROCESS_TEXT];
	char capabilities[REPORT_PROCESS_TEXT];
	bool no_new_privs;
	enum report_confined calls;
	enum report_confined files;
	char calls_by[REPORT_PROCESS_TEXT]; /* "seccomp", or why they are not confined */
	char files_by[REPORT_PROCESS_TEXT];
	const char *task;
};

void report_processes(struct writer *writer, const struct report_process *processes, size_t count);

#endif
