/* SPDX-License-Identifier: ISC */
/* What the files of the desk share: desk.c takes the questions, each desk_*.c answers a family of them. */
#ifndef DAEMON_COMMANDS_INT_H
#define DAEMON_COMMANDS_INT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/control.h"
#include "ctl/report.h"
#include "ctl/report_flows.h"
#include "daemon/commands.h"
#include "daemon/director.h"

/* A look through the flow table that somebody waits for. */
struct desk_walk {
	const void *asker;
	struct flow_walk *walk; /* NULL: the place is free */
};

struct desk {
	struct dsrd *dsrd;
	struct control *control;
	uid_t starter;          /* who started the director, and may change things */
	struct clinic *clinic;  /* while the doctor is at work */
	const void *patient;    /* who asked for that */
	struct plan_probe *plan; /* while a reload is planned */
	const void *planner;
	uint64_t synced;        /* when what the kernel counted was fetched last */
	struct desk_walk walks[CONTROL_CONNECTIONS];
	unsigned stops;         /* the director ends in so many ticks; 0: it does not */
	struct report_iface ifaces[IFACES_MOST];
};

struct report_facts desk_facts(struct desk *desk);
enum control_result desk_out_of_memory(FILE *out);
/* May who asks change things? If not, says why. */
bool desk_may_change(const struct desk *desk, const struct control_ask *ask, FILE *out);
/* The value of a sent option, "" for one that takes none; NULL: it is not there. */
const char *desk_option(const struct http_request *request, enum command_option option);
/* What the first `most` arguments select, options left out. CONTROL_DONE, or a refusal that was written. */
enum control_result desk_select(const struct desk *desk, const struct control_ask *ask, size_t most,
    enum selection_use use, struct selection *selection, FILE *out);

/* The arguments from `from` on as a filter. CONTROL_DONE, or a refusal that was written. */
enum control_result desk_filter(const struct desk *desk, const struct control_ask *ask, size_t from, enum filter_use use,
    struct filter *filter, FILE *out);

enum control_result desk_examine(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);
void desk_end_examination(struct desk *desk);

enum control_result desk_walk(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);
void desk_end_walk(struct desk *desk, const void *asker);

enum control_result desk_steer(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);
/* No new connections for the servers that the arguments select. */
enum control_result desk_drain(struct desk *desk, const struct control_ask *ask, FILE *out);

enum control_result desk_events(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);

enum control_result desk_trace(struct desk *desk, const struct control_ask *ask, FILE *out);

enum control_result desk_why(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);

enum control_result desk_reload(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);
enum control_result desk_plan(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out);
void desk_end_plan(struct desk *desk);
enum control_result desk_stop(struct desk *desk, const struct control_ask *ask, struct writer *writer);
enum control_result desk_config(struct desk *desk, struct writer *writer, FILE *out);

#endif
