/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/offline_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/errlist.h"
#include "base/log.h"
#include "ctl/writer.h"
#include "daemon/replay.h"
#include "model/admin.h"

#define SHARE_TEXT 24
#define MOVES_TEXT 48

/* A flow's first frame, and where it went. */
struct begin {
	uint64_t frame;
	uint16_t slot;
};

/* What happened to each server's flows when one server was not there. */
struct absence {
	uint64_t moved; /* flows that were not its own, and went to another server nevertheless */
	uint64_t lost;  /* flows, its own or others', that no server took */
};

struct study {
	struct begin *begins; /* in the order of the savefile */
	size_t count;
	size_t room;
	bool failed;          /* memory is out */
	uint64_t *flows;      /* by slot */
	uint64_t total;
	size_t slots;
	uint32_t most_flows;  /* that the table held at a time */
	const struct replay *replay;

	/* Of the run without a server. */
	uint16_t absent;
	size_t next; /* of `begins` */
	struct absence absence;
};

/* --- the run as it is --- */

static bool
report_grow(struct study *study)
{
	const size_t room = study->room == 0 ? 1024 : study->room * 2;
	struct begin *begins;

	if (study->count < study->room)
		return true;
	begins = realloc(study->begins, room * sizeof(*begins));
	if (begins == NULL)
		return false;
	study->begins = begins;
	study->room = room;
	return true;
}

static void
report_count_frame(void *context, const struct replayed *seen)
{
	struct study *study = context;
	const uint32_t held = conn_table_count(study->replay->director.forwarder.conns);
	uint16_t slot;

	if (held > study->most_flows)
		study->most_flows = held;
	if (seen->decision.verdict != VERDICT_FORWARD || !seen->decision.new_flow || study->failed)
		return;
	slot = seen->decision.server->ref.slot;
	if (slot >= study->slots || !report_grow(study)) {
		study->failed = true;
		return;
	}
	study->begins[study->count++] = (struct begin) { seen->number, slot };
	study->flows[slot]++;
	study->total++;
}

/* --- the runs without a server --- */

static void
report_compare_servers(void *context, const struct replayed *seen)
{
	struct study *study = context;
	const struct begin *begin = &study->begins[study->next];

	if (study->next == study->count || seen->number != begin->frame)
		return;
	study->next++;
	if (seen->decision.server == NULL)
		study->absence.lost++;
	else if (begin->slot != study->absent && seen->decision.server->ref.slot != begin->slot)
		study->absence.moved++;
}

/* The configuration once more: a run takes its contents. */
static int
report_load_again(const struct options *options, struct conf *conf)
{
	struct errlist *errors = errlist_new();
	int result = -1;

	if (errors == NULL)
		return -1;
	if (conf_load(options->config, conf, errors) == 0) {
		if (options->iface != NULL)
			conf_set_iface(conf, options->iface);
		result = 0;
	}
	errlist_print(errors, stderr);
	errlist_free(errors);
	return result;
}

static int
report_run_without(struct study *study, const struct options *options, uint16_t slot)
{
	struct replay replay = { .each = report_compare_servers, .context = study };
	char error[IO_ERROR] = "out of memory", closing[IO_ERROR];
	struct conf conf;
	int result = -1;

	study->absent = slot;
	study->next = 0;
	memset(&study->absence, 0, sizeof(study->absence));
	if (report_load_again(options, &conf) == -1)
		return -1;
	if (replay_open(&replay, options->read, NULL, &conf, error) == 0) {
		(void)admin_admin(replay.director.model->slots[slot], ADMIN_DISABLED, 0);
		replay.director.stale = true;
		director_refresh(&replay.director);
		result = replay_run(&replay, error);
	}
	if (result == -1)
		fprintf(stderr, "dsrd: %s: %s\n", options->read, error);
	if (replay_close(&replay, closing) == -1)
		result = -1;
	conf_clear(&conf);
	return result;
}

/* --- the report --- */

/* "33.3%"; a dash when there is nothing to share. */
static const char *
report_share_text(uint64_t part, uint64_t whole, char text[SHARE_TEXT])
{
	if (whole == 0)
		return "-";
	snprintf(text, SHARE_TEXT, "%.1f%%", 100 * (double)part / (double)whole);
	return text;
}

/* Backup servers have no share while others are up; here all are up. */
static uint32_t
report_weight(const struct server *server)
{
	return server->settings.backup ? 0 : server->settings.weight;
}

static void
report_server_row(struct writer *writer, const struct study *study, const struct server *server)
{
	const struct service *service = server->service;
	uint64_t flows = 0, weights = 0;
	char name[SERVER_NAME_TEXT], share[SHARE_TEXT], due[SHARE_TEXT];

	for (size_t i = 0; i < service->server_count; i++) {
		flows += study->flows[service->servers[i]->ref.slot];
		weights += report_weight(service->servers[i]);
	}
	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell_number(writer, server->run->packets);
	writer_cell_number(writer, server->run->bytes);
	writer_cell_number(writer, study->flows[server->ref.slot]);
	writer_cell(writer, report_share_text(study->flows[server->ref.slot], flows, share));
	writer_cell(writer, server->settings.backup ? "backup" : report_share_text(report_weight(server), weights,
	    due));
}

static void
report_write_shares(struct writer *writer, const struct study *study, const struct model *model)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "frames", "FRAMES", true },
		{ "bytes", "BYTES", true }, { "flows", "FLOWS", true }, { "share", "SHARE OF FLOWS", true },
		{ "due", "BY WEIGHT", true } };

	writer_table(writer, "servers", "What each server got, and its share of the service's flows:", columns,
	    ARRAY_LEN(columns));
	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			report_server_row(writer, study, model->services[i]->servers[j]);
	writer_table_end(writer);
}

static int
report_absence_row(struct writer *writer, struct study *study, const struct options *options,
    const struct server *server)
{
	const uint64_t own = study->flows[server->ref.slot], others = study->total - own;
	char name[SERVER_NAME_TEXT], share[SHARE_TEXT];

	if (report_run_without(study, options, server->ref.slot) == -1)
		return -1;
	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell_number(writer, own);
	writer_cell_number(writer, study->absence.moved);
	writer_cell(writer, report_share_text(study->absence.moved, others, share));
	writer_cell_number(writer, study->absence.lost);
	return 0;
}

/* The savefile runs once for each server; log lines come from the first run only. */
static int
report_write_absences(struct writer *writer, struct study *study, const struct options *options,
    const struct model *model)
{
	static const struct column columns[] = { { "server", "WITHOUT", false }, { "own", "ITS FLOWS", true },
		{ "moved", "OTHERS' THAT MOVE TOO", true }, { "moved_share", "OF ALL OTHERS", true },
		{ "lost", "LEFT WITHOUT A SERVER", true } };
	int result = 0;

	writer_table(writer, "absences", "What would move if a server were not there:", columns,
	    ARRAY_LEN(columns));
	log_open(SINK_STDERR, -2);
	for (size_t i = 0; i < model->service_count && result == 0; i++)
		for (size_t j = 0; j < model->services[i]->server_count && result == 0; j++)
			result = report_absence_row(writer, study, options, model->services[i]->servers[j]);
	log_open(SINK_STDERR, options->verbose);
	writer_table_end(writer);
	return result;
}

static void
report_frames_row(void *context, const char *name UNUSED, const char *text, uint64_t value)
{
	struct writer *writer = context;

	if (value == 0)
		return;
	writer_row(writer);
	writer_cell_number(writer, value);
	writer_cell(writer, text);
}

static void
report_write_counters(struct writer *writer, const struct study *study, const struct forwarder *forwarder)
{
	static const struct column counters[] = { { "value", "FRAMES", true }, { "meaning", "OF WHICH", false } },
	    drops[] = { { "frames", "DROPPED", true }, { "reason", "REASON", false }, { "meaning", "WHY", false } };
	char text[MOVES_TEXT];

	snprintf(text, sizeof(text), "%" PRIu32 " at a time, of %" PRIu32, study->most_flows,
	    conn_table_capacity(forwarder->conns));
	writer_fact(writer, "flow_table", "flow table", text);
	writer_number(writer, "by_hash", "frames of flows that were not remembered", forwarder->stats.by_hash);
	writer_number(writer, "persist_full", "clients that were not remembered", forwarder->stats.persist_full);
	writer_table(writer, "counters", NULL, counters, ARRAY_LEN(counters));
	forward_stats_each(&forwarder->stats, report_frames_row, writer);
	writer_table_end(writer);
	writer_table(writer, "drops", NULL, drops, ARRAY_LEN(drops));
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++) {
		if (forwarder->stats.dropped[reason] == 0)
			continue;
		writer_row(writer);
		writer_cell_number(writer, forwarder->stats.dropped[reason]);
		writer_cell(writer, drop_reason_name(reason));
		writer_cell(writer, drop_reason_sentence(reason));
	}
	writer_table_end(writer);
}

static int
report_write(struct study *study, const struct options *options)
{
	const struct director *director = &study->replay->director;
	struct writer *writer = writer_text(stdout, false);
	int result = 0;

	if (writer == NULL) {
		fprintf(stderr, "dsrd: out of memory\n");
		return -1;
	}
	writer_number(writer, "flows", "flows", study->total);
	report_write_counters(writer, study, &director->forwarder);
	report_write_shares(writer, study, director->model);
	if (strcmp(options->read, "-") == 0)
		writer_fact(writer, "absences_text", "without a server",
		    "not tried, since standard input cannot be read twice: give -r a file's name");
	else
		result = report_write_absences(writer, study, options, director->model);
	if (writer_end(writer) == -1 || fflush(stdout) != 0) {
		fprintf(stderr, "dsrd: the report could not be written\n");
		result = -1;
	}
	return result;
}

int
offline_report(const struct options *options, struct conf *conf)
{
	struct study study = { 0 };
	struct replay replay = { .each = report_count_frame, .context = &study };
	char error[IO_ERROR], closing[IO_ERROR];
	int result = replay_open(&replay, options->read, options->write, conf, error);

	study.replay = &replay;
	if (result == 0) {
		study.slots = replay.director.model->slot_count;
		study.flows = calloc(study.slots + 1, sizeof(*study.flows));
		study.failed = study.flows == NULL;
		result = replay_run(&replay, error);
	}
	if (result == 0 && study.failed) {
		snprintf(error, sizeof(error), "out of memory");
		result = -1;
	}
	if (result == -1)
		fprintf(stderr, "dsrd: %s\n", error);
	else
		result = report_write(&study, options);
	if (replay_close(&replay, closing) == -1) {
		fprintf(stderr, "dsrd: %s: %s\n", options->write, closing);
		result = -1;
	}
	free(study.begins);
	free(study.flows);
	return result;
}
