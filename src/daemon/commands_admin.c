/* SPDX-License-Identifier: ISC */
/* Commands that change something, and what they would change. */
#include "config.h"

#include "daemon/commands_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/report.h"
#include "daemon/state.h"
#include "daemon/stats.h"
#include "os/os.h"

#define TICKS_TO_ANSWER 2 /* the first may come at once */

/* -1, which is not a valid user ID (POSIX), when the system does not provide it. */
static uid_t
commands_user(const struct control_ask *ask)
{
	uid_t uid;

	return os_peer_user(ask->fd, &uid) == 0 ? uid : (uid_t)-1;
}

struct admin_author
commands_author(const struct control_ask *ask)
{
	const uid_t uid = commands_user(ask);
	struct admin_author author = { .user = -1, .when = (uint64_t)time(NULL) };
	char name[OS_USER_NAME];

	if (uid == (uid_t)-1)
		return author;
	author.user = (int64_t)uid;
	os_user_name(uid, name);
	admin_author_set_name(&author, name);
	return author;
}

bool
commands_may_change(const struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	const uid_t uid = commands_user(ask);

	if (uid == 0 || uid == cmds->starter || cmds->parts.conf->control_change)
		return true;
	fprintf(out, "permission denied: read-only access. Run as root, or set `control-group-may = change` in [dsrd] "
	    "of the "
	    "configuration and reload it\n");
	return false;
}

const char *
commands_option(const struct http_request *request, enum command_option option)
{
	const char *name = command_options[option].name;
	const size_t length = strlen(name);

	for (size_t i = 0; i < request->argument_count; i++) {
		const char *word = request->arguments[i];

		if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, length) == 0 &&
		    (word[2 + length] == '\0' || word[2 + length] == '='))
			return word + 2 + length + (word[2 + length] == '=');
	}
	return NULL;
}

static bool
commands_takes_option(enum command_id command, const char *word)
{
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++)
		if (command_takes(command, option) && command_options[option].sent &&
		    strlen(command_options[option].name) == strcspn(word + 2, "=") &&
		    strncmp(word + 2, command_options[option].name, strcspn(word + 2, "=")) == 0)
			return true;
	return false;
}

enum control_result
commands_select(const struct command_server *cmds, const struct control_ask *ask, size_t most, enum selection_use use,
    struct selection *selection, FILE *out)
{
	const struct http_request *request = ask->request;
	char error[SELECTOR_ERROR], usage[COMMAND_USAGE];

	selection->count = 0;
	for (size_t i = 0; i < request->argument_count && i < most; i++) {
		const char *word = request->arguments[i];
		enum selection_result result;

		if (strncmp(word, "--", 2) == 0 && commands_takes_option(request->command, word))
			continue;
		if (strncmp(word, "--", 2) == 0) {
			fprintf(out, "unknown option `%s`; usage: %s\n", word, command_usage(request->command, usage));
			return CONTROL_USAGE;
		}
		result = selection_add(selection, word, use, cmds->parts.sources->director->model, error);
		if (result == SELECTION_OK)
			continue;
		fprintf(out, "%s\n", error);
		return result == SELECTION_UNKNOWN ? CONTROL_UNKNOWN : CONTROL_USAGE;
	}
	if (use == SELECTION_CHANGE && selection->count == 0) {
		fprintf(out, "which servers? usage: %s\n", command_usage(request->command, usage));
		return CONTROL_USAGE;
	}
	return CONTROL_DONE;
}

enum control_result
commands_filter(const struct command_server *cmds, const struct control_ask *ask, size_t from, enum filter_use use,
    struct filter *filter, FILE *out)
{
	const struct http_request *request = ask->request;
	const char *words[COMMAND_ARGUMENTS] = { NULL };
	struct selection selection = { .count = 0 };
	char error[SELECTOR_ERROR > FILTER_ERROR ? SELECTOR_ERROR : FILTER_ERROR];
	struct addr addr;
	size_t count = 0;

	for (size_t i = from; i < request->argument_count; i++)
		words[count++] = request->arguments[i];
	if (filter_parse(words, count, use, filter, error) == -1) {
		fprintf(out, "%s\n", error);
		return CONTROL_USAGE;
	}
	/* An unknown name would silently select nothing. An address may be any client's. */
	for (size_t i = 0; i < count; i++) {
		if (strchr(words[i], '=') != NULL || addr_parse(words[i], &addr) == 0 ||
		    selection_add(&selection, words[i], SELECTION_LIST, cmds->parts.sources->director->model, error) ==
		    SELECTION_OK)
			continue;
		fprintf(out, "%s\n", error);
		return CONTROL_UNKNOWN;
	}
	return CONTROL_DONE;
}

enum control_result
commands_drain(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	const char *timeout = commands_option(ask->request, OPTION_TIMEOUT);
	struct director *director = cmds->parts.sources->director;
	const struct admin_author author = commands_author(ask);
	struct selection selection;
	uint64_t patience = 0;
	enum control_result result;

	if (timeout != NULL && (text_duration(timeout, &patience) == -1 || patience == 0)) {
		fputs("--timeout takes a duration, such as 30s, 10m or 2h\n", out);
		return CONTROL_USAGE;
	}
	result = commands_select(cmds, ask, COMMAND_ARGUMENTS, SELECTION_CHANGE, &selection, out);
	if (result != CONTROL_DONE)
		return result;
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];
		struct admin_author after;

		if (server == NULL || !selection_has(&selection, server))
			continue;
		after = admin_author_after(&author, &server->admin.admin_by);
		(void)director_set_admin(director, server, ADMIN_DRAINED, &after);
		server->admin.drain_until = timeout != NULL ? director->now + patience : 0;
	}
	state_save(cmds->parts.state);
	return CONTROL_DONE;
}

/* The values of the commands that have one. */
struct commands_value {
	uint64_t weight;
	struct mac mac;
};

static bool
commands_admin_one(struct director *director, struct server *server, enum command_id command,
    const struct commands_value *value, const struct admin_author *author)
{
	const struct admin *admin = &server->admin;
	const struct admin_author after = admin_author_after(author,
	    command == COMMAND_WEIGHT ? &admin->weight_by : &admin->admin_by);

	if (command == COMMAND_WEIGHT)
		return director_weigh(director, server, (uint32_t)value->weight, &after);
	if (command == COMMAND_NEIGHBOR)
		return director_set_mac(director, server, &value->mac, author);
	return director_set_admin(director, server, command == COMMAND_ENABLE ? ADMIN_ENABLED : ADMIN_DISABLED, &after);
}

static bool
commands_is_own_mac(const struct director *director, const struct mac *mac)
{
	for (size_t i = 0; i < director->iface_count; i++)
		if (mac_equal(&director->ifaces[i].mac, mac))
			return true;
	return false;
}

static enum control_result
commands_read_value(const struct director *director, const struct http_request *request, struct commands_value *value,
    FILE *out)
{
	const char *text = request->argument_count > 1 ? request->arguments[1] : "";

	if (request->command == COMMAND_WEIGHT && text_number(text, 0, WEIGHT_MOST, &value->weight) == -1)
		fprintf(out, "`%s` is not a valid weight: use a number from 0 to %d, where 0 drains\n", text,
		    WEIGHT_MOST);
	else if (request->command == COMMAND_NEIGHBOR && (mac_parse(text, &value->mac) == -1 ||
	    mac_is_zero(&value->mac) ||
	    mac_is_group(&value->mac)))
		fprintf(out, "`%s` is not the MAC address of a host: use six pairs of digits, such as "
		    "02:00:00:00:00:01\n", text);
	else if (request->command == COMMAND_NEIGHBOR && commands_is_own_mac(director, &value->mac))
		fprintf(out, "`%s` is the director's own MAC address: the director cannot be one of its real servers\n",
		    text);
	else
		return CONTROL_DONE;
	return CONTROL_USAGE;
}

/* Only the file can change a configured MAC. */
static enum control_result
commands_may_set_mac(const struct director *director, const struct selection *selection, FILE *out)
{
	char name[SERVER_NAME_TEXT];

	for (size_t i = 0; i < director->model->slot_count; i++) {
		const struct server *server = director->model->slots[i];

		if (server == NULL || !selection_has(selection, server) || mac_is_zero(&server->settings.mac))
			continue;
		fprintf(out, "%s has `mac=` in the configuration: change it there, and run dsrctl reload\n",
		    server_name(server, name));
		return CONTROL_REFUSED;
	}
	return CONTROL_DONE;
}

enum control_result
commands_admin(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct director *director = cmds->parts.sources->director;
	const enum command_id command = ask->request->command;
	const struct admin_author author = commands_author(ask);
	const bool valued = command == COMMAND_WEIGHT || command == COMMAND_NEIGHBOR;
	struct commands_value value = { .weight = 0 };
	struct report_facts facts;
	struct selection selection;
	bool *changed;
	enum control_result result = commands_read_value(director, ask->request, &value, out);

	if (result == CONTROL_DONE)
		result = commands_select(cmds, ask, valued ? 1 : COMMAND_ARGUMENTS, SELECTION_CHANGE, &selection, out);
	if (result == CONTROL_DONE && command == COMMAND_NEIGHBOR)
		result = commands_may_set_mac(director, &selection, out);
	if (result != CONTROL_DONE)
		return result;
	changed = calloc(director->model->slot_count + 1, sizeof(*changed));
	if (changed == NULL)
		return commands_out_of_memory(out);
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];

		if (server != NULL && selection_has(&selection, server))
			changed[i] = commands_admin_one(director, server, command, &value, &author);
	}
	state_save(cmds->parts.state);
	facts = commands_facts(cmds);
	facts.selection = &selection;
	report_admin(writer, &facts, changed);
	free(changed);
	return CONTROL_DONE;
}

enum control_result
commands_stop(struct command_server *cmds, const struct control_ask *ask, struct writer *writer)
{
	const struct admin_author author = commands_author(ask);

	if (cmds->stops == 0)
		log_notice("stop by=uid:%" PRId64 " user=%s", author.user, admin_author_name(&author));
	cmds->stops = TICKS_TO_ANSWER;
	writer_fact(writer, "stop", "stop", "the director ends within two seconds");
	return CONTROL_DONE;
}
