/* SPDX-License-Identifier: ISC */
/* Commands that change something, and what they would change. */
#include "config.h"

#include "daemon/commands_int.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/errlist.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/report_change.h"
#include "daemon/dsrd.h"
#include "daemon/reload.h"
#include "daemon/selfcheck.h"
#include "daemon/state.h"
#include "os/os.h"

/* -1, nobody's number (POSIX), when the system does not say. */
static uid_t
asking_user(const struct control_ask *ask)
{
	uid_t uid;

	return os_peer_user(ask->fd, &uid) == 0 ? uid : (uid_t)-1;
}

static struct steer_author
asking_author(const struct control_ask *ask)
{
	const uid_t uid = asking_user(ask);
	struct steer_author author = { .user = -1, .when = (uint64_t)time(NULL) };
	char name[OS_USER_NAME];

	if (uid == (uid_t)-1)
		return author;
	author.user = (int64_t)uid;
	os_user_name(uid, name);
	steer_author_set_name(&author, name);
	return author;
}

bool
desk_may_change(const struct desk *desk, const struct control_ask *ask, FILE *out)
{
	const uid_t uid = asking_user(ask);

	if (uid == 0 || uid == desk->starter || desk->dsrd->conf.control_change)
		return true;
	fprintf(out, "you may look, not change things: be root, or put `control-group-may = change` into [dsrd] of the "
	    "configuration and reload it\n");
	return false;
}

struct server *
desk_server(const struct desk *desk, const struct control_ask *ask, FILE *out)
{
	const char *name = ask->request->arguments[0];
	struct server *server = model_find(desk->dsrd->director.model, name);

	if (server == NULL)
		fprintf(out, "there is no server `%s`: dsrctl show lists them, as SERVICE/SERVER\n", name);
	return server;
}

enum control_result
desk_drain(struct desk *desk, const struct control_ask *ask, FILE *out)
{
	struct server *server = desk_server(desk, ask, out);
	struct steer_author author;

	if (server == NULL)
		return CONTROL_REFUSED;
	author = asking_author(ask);
	if (director_steer(&desk->dsrd->director, server, ADMIN_DRAINED, &author))
		state_save(desk->dsrd);
	return CONTROL_DONE;
}

enum control_result
desk_steer(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct director *director = &desk->dsrd->director;
	struct server *server = desk_server(desk, ask, out);
	const struct steer_author author = asking_author(ask);
	uint64_t weight;
	bool changed;

	if (server == NULL)
		return CONTROL_REFUSED;
	if (ask->request->command == COMMAND_WEIGHT) {
		if (text_number(ask->request->arguments[1], 0, WEIGHT_MOST, &weight) == -1) {
			fprintf(out, "`%s` is no weight: a number from 0 to %d, where 0 drains\n",
			    ask->request->arguments[1], WEIGHT_MOST);
			return CONTROL_REFUSED;
		}
		changed = director_weigh(director, server, (uint32_t)weight, &author);
	} else {
		changed = director_steer(director, server,
		    ask->request->command == COMMAND_ENABLE ? ADMIN_ENABLED : ADMIN_DISABLED, &author);
	}
	if (changed)
		state_save(desk->dsrd);
	report_steered(writer, server, changed);
	return CONTROL_DONE;
}

/* The configuration in force: conf_clear() is not for this one, model_settings_done() is. */
static int
running_conf(const struct dsrd *dsrd, struct conf *conf)
{
	*conf = dsrd->conf;
	if (model_settings(dsrd->director.model, &conf->settings) == -1)
		return -1;
	conf->settings.connections = conn_table_capacity(dsrd->director.forwarder.conns);
	return 0;
}

/* What is different in the file, for the report. */
static enum control_result
plan(struct desk *desk, const struct conf *fresh, struct writer *writer, FILE *out)
{
	const struct report_facts facts = desk_facts(desk);
	struct conf running;
	int result;

	if (running_conf(desk->dsrd, &running) == -1)
		return desk_out_of_memory(out);
	result = report_plan(writer, &facts, &running, fresh);
	model_settings_done(&running.settings);
	return result == -1 ? desk_out_of_memory(out) : CONTROL_DONE;
}

/* Reads the file for a reload, or to say what one would do. */
static enum control_result
reload(struct desk *desk, struct writer *writer, bool apply, struct errlist *errors, FILE *out)
{
	enum control_result result;
	struct conf fresh;

	if (reload_read(desk->dsrd, &fresh, errors) == -1) {
		if (apply)
			selfcheck_reload(desk->dsrd, errlist_count(errors) > 0 ? errlist_text(errors, 0) : "the file cannot be read");
		errlist_print(errors, out);
		fprintf(out, "nothing was changed\n");
		return CONTROL_REFUSED;
	}
	result = plan(desk, &fresh, writer, out);
	if (result != CONTROL_DONE || !apply) {
		conf_clear(&fresh);
		return result;
	}
	if (reload_apply(desk->dsrd, &fresh) == 0)
		return CONTROL_DONE;
	fprintf(out, "the new configuration cannot be: the director's log says why. Nothing was changed\n");
	return CONTROL_REFUSED;
}

static enum control_result
reload_with_errors(struct desk *desk, struct writer *writer, bool apply, FILE *out)
{
	struct errlist *errors = errlist_new();
	enum control_result result;

	if (errors == NULL)
		return desk_out_of_memory(out);
	result = reload(desk, writer, apply, errors, out);
	errlist_free(errors);
	return result;
}

enum control_result
desk_reload(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	log_notice("reload by=uid:%jd", (intmax_t)asking_user(ask));
	return reload_with_errors(desk, writer, true, out);
}

enum control_result
desk_config(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct report_facts facts = desk_facts(desk);
	struct conf running;
	int result;

	if (ask->request->command == COMMAND_RELOAD_PLAN)
		return reload_with_errors(desk, writer, false, out);
	if (running_conf(desk->dsrd, &running) == -1)
		return desk_out_of_memory(out);
	result = report_config(writer, &facts, &running);
	model_settings_done(&running.settings);
	return result == -1 ? desk_out_of_memory(out) : CONTROL_DONE;
}
