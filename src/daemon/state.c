/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "daemon/state_file.h"
#include "forward/handover.h"
#include "os/os.h"

/*
 * Health and MAC addresses that are older are not believed. Checks of that age would have ended any server by
 * default.
 */
#define RECENT SECONDS(60)

struct state {
	struct director *director;
	struct state_file *file;    /* NULL: `error` says why */
	const struct fwdtab *saved; /* the table that the text is of */
	char error[STATE_ERROR];    /* empty: all is well */
};

static void
state_restore_flows(struct handover *handover, const struct state_old *old, uint64_t now)
{
	struct conn_saved saved;

	handover_begin(handover);
	for (uint32_t i = 0; i < old->flow_count; i++)
		if (conn_record_read(&old->flows[i], &saved))
			handover_flow(handover, &saved, now);
	for (uint32_t i = 0; i < old->client_count; i++)
		if (conn_record_read(&old->clients[i], &saved))
			handover_client(handover, &saved, now);
}

static void
state_log_restored(const char *path, const struct state_old *old, const struct handover_counts *counts, uint64_t took)
{
	log_notice("restore result=ok file=%s connections=%" PRIu32 " clients=%" PRIu32 " servers=%zu up=%zu admin=%zu "
	    "expired=%" PRIu32 " unknown=%" PRIu32 " refused=%" PRIu32 " unreadable=%zu age=%" PRIu64 "ms took=%" PRIu64
	    "ms",
	    path, counts->flows, counts->clients, counts->servers, counts->up, counts->admin, counts->expired,
	    counts->unknown, counts->refused, counts->unreadable, old->age / MILLISECONDS(1), took / MILLISECONDS(1));
}

static void
state_restore(struct state *state, const char *path, struct state_old *old, uint64_t now)
{
	struct director *director = state->director;
	struct handover *handover = handover_read(old->text, old->length, director->model, &director->forwarder,
	    old->age <= RECENT, now);

	if (handover == NULL) {
		log_warning("restore result=ignored file=%s reason=\"out of memory\"", path);
		return;
	}
	director_restored(director);
	state_restore_flows(handover, old, now);
	state_log_restored(path, old, handover_counts(handover), clock_us() - now);
	handover_free(handover);
}

static int
state_write_text(struct state *state)
{
	const struct director *director = state->director;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int result = -1;

	if (out == NULL)
		return -1;
	result = handover_write(out, director->model, director->ifaces, director->iface_count);
	if (fclose(out) != 0)
		result = -1;
	if (result == 0)
		result = state_file_write(state->file, text, length);
	free(text);
	return result;
}

/* A new file with all there is, which then takes the place of the old one: there is a whole one at any time. */
static int
state_begin(struct state *state, const char *path, uint64_t now, char error[STATE_ERROR])
{
	struct forwarder *forwarder = &state->director->forwarder;

	state->file = state_file_create(path, conn_table_capacity(forwarder->conns),
	    conn_table_capacity(forwarder->persist),
	    now, error);
	if (state->file == NULL)
		return -1;
	if (state_write_text(state) == -1) {
		(void)snprintf(error, STATE_ERROR, "%s", strerror(errno));
		return -1;
	}
	state->saved = state->director->table;
	conn_table_record(forwarder->conns, state_file_flows(state->file));
	conn_table_record(forwarder->persist, state_file_clients(state->file));
	return state_file_publish(state->file, error);
}

static void
state_end(struct state *state)
{
	conn_table_record(state->director->forwarder.conns, NULL);
	conn_table_record(state->director->forwarder.persist, NULL);
	state_file_close(state->file);
	state->file = NULL;
}

/* The user that dsrd becomes: a service manager may have started the last one as that user. */
static uid_t
state_find_user(const struct conf *conf)
{
	struct os_user found;
	char error[OS_ERROR];

	if (conf->user[0] != '\0' && os_user_find(conf->user, &found, error) == 0)
		return found.uid;
	return geteuid();
}

struct state *
state_new(struct director *director)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state != NULL)
		state->director = director;
	return state;
}

void
state_open(struct state *state, const struct conf *conf, uint64_t now)
{
	char path[CONF_PATH], error[STATE_ERROR] = "";
	enum state_found found;
	struct state_old old;

	conf_state_path(conf, path);
	if (strcmp(path, "off") == 0)
		return;
	found = state_file_read(path, state_find_user(conf), now, &old, error);
	if (found == STATE_READ)
		state_restore(state, path, &old, now);
	else if (found != STATE_NONE)
		log_warning("restore result=ignored file=%s reason=\"%s\" meaning=\"dsrd starts without connections, "
		    "in the state of the "
		    "configuration\"", path, error);
	if (found == STATE_TAKEN || state_begin(state, path, now, error) == -1) {
		(void)snprintf(state->error, STATE_ERROR, "%s", error);
		state_end(state);
	}
	state_old_done(&old);
}

void
state_save(struct state *state)
{

	if (state->file == NULL)
		return;
	state->error[0] = '\0';
	state->saved = state->director->table;
	if (state_write_text(state) == 0)
		return;
	(void)snprintf(state->error, STATE_ERROR, "%s", strerror(errno));
	state->saved = NULL;
}

/* What scheduler lblc has chosen changes without a new table. */
static bool
state_has_locals(const struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < SERVICE_LOCALS; j++)
			if (model->services[i]->run->local[j].server.generation != 0)
				return true;
	return false;
}

static void
state_sweep(struct conn_table *table)
{
	conn_table_sweep(table, conn_table_used(table) / CONN_RECORD_ROUND + 1);
}

/* From where the last sweep stopped to the end, and once from the beginning. */
static void
state_sweep_all(struct conn_table *table)
{
	conn_table_sweep(table, conn_table_used(table));
	conn_table_sweep(table, conn_table_used(table));
}

void
state_tick(struct state *state, uint64_t now)
{
	if (state->file == NULL)
		return;
	state_file_beat(state->file, now);
	state_sweep(state->director->forwarder.conns);
	state_sweep(state->director->forwarder.persist);
	if (state->saved != state->director->table || state_has_locals(state->director->model))
		state_save(state);
}

const char *
state_error(const struct state *state)
{
	if (state->file != NULL && state_file_is_full(state->file))
		return "the file system of `state` has no room for more connections";
	return state->error[0] != '\0' ? state->error : NULL;
}

void
state_close(struct state *state, uint64_t now)
{
	if (state == NULL)
		return;
	if (state->file != NULL) {
		state_file_beat(state->file, now);
		state_sweep_all(state->director->forwarder.conns);
		state_sweep_all(state->director->forwarder.persist);
	}
	state_save(state);
	state_end(state);
	free(state);
}
