/* SPDX-License-Identifier: ISC */
/* Shared by the files that implement commands: commands.c receives them, each commands_*.c answers a group. */
#ifndef DAEMON_COMMANDS_INT_H
#define DAEMON_COMMANDS_INT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/control.h"
#include "ctl/report.h"
#include "daemon/commands.h"
#include "daemon/director.h"

/* A scan of the flow table that a client waits for. */
struct commands_walk {
	const void *client;
	struct flow_walk *walk; /* NULL: the place is free */
};

struct commands_reload;

struct command_server {
	struct command_parts parts;
	struct control *control;
	uid_t starter;          /* the user who started the director, who may change things */
	struct doctor_run *doctor_run;  /* while an examination runs */
	const void *requester;    /* the client that requested it */
	struct plan_probe *plan; /* while a reload is planned */
	const void *planner;     /* the client that requested that */
	struct commands_reload *reloads[CONTROL_CONNECTIONS]; /* NULL: a free place */
	uint64_t synced;        /* when what the kernel counted was fetched last */
	struct commands_walk walks[CONTROL_CONNECTIONS];
	struct trace *trace;    /* NULL: no one watches frames */
	unsigned stops;         /* ticks until the director stops; 0: it does not */
	struct report_iface ifaces[IFACES_MOST];
};

/* The user who makes a change, for reports and the log. */
struct admin_author commands_author(const struct control_ask *ask);
struct report_facts commands_facts(struct command_server *cmds);
enum control_result commands_out_of_memory(FILE *out);
/* May the client change things? If not, writes the reason. */
bool commands_may_change(const struct command_server *cmds, const struct control_ask *ask, FILE *out);
/* The value of a sent option, "" for one that takes none; NULL: it is not there. */
const char *commands_option(const struct http_request *request, enum command_option option);
/* What the first `most` arguments select, options left out. CONTROL_DONE, or a refusal that was written. */
enum control_result commands_select(const struct command_server *cmds, const struct control_ask *ask, size_t most,
    enum selection_use use, struct selection *selection, FILE *out);

/* The arguments from `from` on as a filter. CONTROL_DONE, or a refusal that was written. */
enum control_result commands_filter(const struct command_server *cmds, const struct control_ask *ask, size_t from,
    enum filter_use use,
    struct filter *filter, FILE *out);

enum control_result commands_examine(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);
void commands_end_examination(struct command_server *cmds);

enum control_result commands_walk(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);
void commands_end_walk(struct command_server *cmds, const void *client);

enum control_result commands_admin(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);
/* No new connections for the servers that the arguments select. */
enum control_result commands_drain(struct command_server *cmds, const struct control_ask *ask, FILE *out);

enum control_result commands_events(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);

enum control_result commands_trace(struct command_server *cmds, const struct control_ask *ask, FILE *out);

enum control_result commands_why(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);

enum control_result commands_role(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);
/* The group that an argument names. False: there is none, which was written. */
bool commands_role_group(const struct command_server *cmds, const char *name, size_t *group, FILE *out);

enum control_result commands_drain_director(struct command_server *cmds, const struct control_ask *ask,
    struct writer *writer, FILE *out);
enum control_result commands_announce(struct command_server *cmds, const struct control_ask *ask, FILE *out);

enum control_result commands_ready(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);

enum control_result commands_reload(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);
enum control_result commands_plan(struct command_server *cmds, const struct control_ask *ask, struct writer *writer,
    FILE *out);
void commands_end_plan(struct command_server *cmds);
/* The client is gone. */
void commands_end_reload(struct command_server *cmds, const void *client);
void commands_end_reloads(struct command_server *cmds);
enum control_result commands_stop(struct command_server *cmds, const struct control_ask *ask, struct writer *writer);
enum control_result commands_config(struct command_server *cmds, struct writer *writer, FILE *out);

#endif
