/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/log.h"
#include "daemon/dsrd.h"
#include "daemon/state_file.h"
#include "forward/handover.h"
#include "os/os.h"

/* Health and MAC addresses that are older are not believed. Checks of that age would have ended any server by default. */
#define RECENT SECONDS(60)

struct state {
	struct state_file *file;    /* NULL: `error` says why */
	const struct fwdtab *saved; /* the table that the text is of */
	char error[STATE_ERROR];    /* empty: all is well */
};

static void
take_flows(struct handover *handover, const struct state_old *old, uint64_t now)
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
log_restored(const char *path, const struct state_old *old, const struct handover_counts *counts, uint64_t took)
{
	log_notice("restore result=ok file=%s connections=%" PRIu32 " clients=%" PRIu32 " servers=%zu up=%zu steered=%zu "
	    "expired=%" PRIu32 " unknown=%" PRIu32 " refused=%" PRIu32 " unreadable=%zu age=%" PRIu64 "ms took=%" PRIu64 "ms",
	    path, counts->flows, counts->clients, counts->servers, counts->up, counts->steered, counts->expired,
	    counts->unknown, counts->refused, counts->unreadable, old->age / MILLISECONDS(1), took / MILLISECONDS(1));
}

static void
restore(struct dsrd *dsrd, const char *path, struct state_old *old, uint64_t now)
{
	struct director *director = &dsrd->director;
	struct handover *handover = handover_read(old->text, old->length, director->model, &director->forwarder,
	    old->age <= RECENT, now);

	if (handover == NULL) {
		log_warning("restore result=ignored file=%s reason=\"out of memory\"", path);
		return;
	}
	director_restored(director);
	take_flows(handover, old, now);
	log_restored(path, old, handover_counts(handover), dsrd_clock() - now);
	handover_free(handover);
}

static int
write_text(struct dsrd *dsrd)
{
	const struct director *director = &dsrd->director;
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
		result = state_file_write(dsrd->state->file, text, length);
	free(text);
	return result;
}

/* A new file with all there is, which then takes the place of the old one: there is a whole one at any time. */
static int
begin(struct dsrd *dsrd, const char *path, uint64_t now, char error[STATE_ERROR])
{
	struct forwarder *forwarder = &dsrd->director.forwarder;
	struct state *state = dsrd->state;

	state->file = state_file_create(path, conn_table_capacity(forwarder->conns), conn_table_capacity(forwarder->persist),
	    now, error);
	if (state->file == NULL)
		return -1;
	if (write_text(dsrd) == -1) {
		(void)snprintf(error, STATE_ERROR, "%s", strerror(errno));
		return -1;
	}
	state->saved = dsrd->director.table;
	conn_table_record(forwarder->conns, state_file_flows(state->file));
	conn_table_record(forwarder->persist, state_file_clients(state->file));
	return state_file_publish(state->file, error);
}

static void
end(struct dsrd *dsrd)
{
	conn_table_record(dsrd->director.forwarder.conns, NULL);
	conn_table_record(dsrd->director.forwarder.persist, NULL);
	state_file_close(dsrd->state->file);
	dsrd->state->file = NULL;
}

/* The user that dsrd becomes: a service manager may have started the last one as that user. */
static uid_t
user_of(const struct conf *conf)
{
	struct os_user found;
	char error[OS_ERROR];

	if (conf->user[0] != '\0' && os_user_find(conf->user, &found, error) == 0)
		return found.uid;
	return geteuid();
}

void
state_open(struct dsrd *dsrd, uint64_t now)
{
	char path[CONF_PATH], error[STATE_ERROR] = "";
	enum state_found found;
	struct state_old old;

	conf_state_path(&dsrd->conf, path);
	if (dsrd->options->observe || strcmp(path, "off") == 0)
		return;
	found = state_file_read(path, user_of(&dsrd->conf), now, &old, error);
	if (found == STATE_READ)
		restore(dsrd, path, &old, now);
	else if (found != STATE_NONE)
		log_warning("restore result=ignored file=%s reason=\"%s\" meaning=\"dsrd starts without connections, and as the "
		    "configuration says\"", path, error);
	dsrd->state = calloc(1, sizeof(*dsrd->state));
	if (dsrd->state != NULL && (found == STATE_TAKEN || begin(dsrd, path, now, error) == -1)) {
		(void)snprintf(dsrd->state->error, STATE_ERROR, "%s", error);
		end(dsrd);
	}
	state_old_done(&old);
}

void
state_save(struct dsrd *dsrd)
{
	struct state *state = dsrd->state;

	if (state == NULL || state->file == NULL)
		return;
	state->error[0] = '\0';
	state->saved = dsrd->director.table;
	if (write_text(dsrd) == 0)
		return;
	(void)snprintf(state->error, STATE_ERROR, "%s", strerror(errno));
	state->saved = NULL;
}

/* What scheduler lblc has chosen changes without a new table. */
static bool
has_locals(const struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < SERVICE_LOCALS; j++)
			if (model->services[i]->run->local[j].server.generation != 0)
				return true;
	return false;
}

static void
sweep(struct conn_table *table)
{
	conn_table_sweep(table, conn_table_used(table) / CONN_RECORD_ROUND + 1);
}

void
state_tick(struct dsrd *dsrd, uint64_t now)
{
	if (dsrd->state == NULL || dsrd->state->file == NULL)
		return;
	state_file_beat(dsrd->state->file, now);
	sweep(dsrd->director.forwarder.conns);
	sweep(dsrd->director.forwarder.persist);
	if (dsrd->state->saved != dsrd->director.table || has_locals(dsrd->director.model))
		state_save(dsrd);
}

const char *
state_error(const struct dsrd *dsrd)
{
	const struct state *state = dsrd->state;

	if (state == NULL)
		return NULL;
	if (state->file != NULL && state_file_is_full(state->file))
		return "there is no room for more connections where the file is (state)";
	return state->error[0] != '\0' ? state->error : NULL;
}

void
state_close(struct dsrd *dsrd, uint64_t now)
{
	if (dsrd->state == NULL)
		return;
	if (dsrd->state->file != NULL)
		state_file_beat(dsrd->state->file, now);
	state_save(dsrd);
	end(dsrd);
	free(dsrd->state);
	dsrd->state = NULL;
}
