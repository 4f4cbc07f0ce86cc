/* SPDX-License-Identifier: ISC */
/* `notify`: one program in [dsrd]; in services as many as wished, each for all servers or for some. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"

/* Cuts the last word off when it is "servers=web1,web9". Empty when there is none. */
static const char *
notify_cut_servers(char *value)
{
	static const char option[] = "servers=";
	char *blank = strrchr(value, ' ');

	if (blank == NULL || strncmp(blank + 1, option, strlen(option)) != 0)
		return "";
	*blank = '\0';
	for (char *end = blank; end > value && end[-1] == ' '; end--)
		end[-1] = '\0';
	return blank + 1 + strlen(option);
}

static enum set_result
notify_add(struct parse *parse, struct service_settings *service, const struct notify_settings *notify)
{
	struct notify_settings *all;

	for (size_t i = 0; i < service->notify_count; i++) {
		if (strcmp(service->notifies[i].servers, notify->servers) != 0)
			continue;
		parse_error(parse, "`notify` is given twice for the same servers: one program runs for each change");
		return SET_REPORTED;
	}
	all = parse_grow(service->notifies, service->notify_count, sizeof(*all));
	if (all == NULL) {
		parse_out_of_memory(parse);
		return SET_REPORTED;
	}
	service->notifies = all;
	all[service->notify_count++] = *notify;
	return SET_OK;
}

enum set_result
value_set_notify(struct parse *parse, struct draft *draft, char *value)
{
	struct notify_settings notify = { .program = "" };
	const char *servers = draft->kind == CONF_IN_DSRD ? "" : notify_cut_servers(value);
	const bool off = strcmp(value, "off") == 0;

	if ((!off && *value != '/') || strlen(value) >= sizeof(notify.program) ||
	    (servers[0] != '\0' && !value_is_name_list(servers)) || strlen(servers) >= sizeof(notify.servers))
		return SET_REFUSED;
	if (!off)
		(void)snprintf(notify.program, sizeof(notify.program), "%s", value);
	(void)snprintf(notify.servers, sizeof(notify.servers), "%s", servers);
	if (draft->kind != CONF_IN_DSRD)
		return notify_add(parse, &draft->service, &notify);
	if (parse->conf->notify[0] != '\0') {
		parse_error(parse, "`notify` is given twice: [dsrd] has one program; a [service] may have others");
		return SET_REPORTED;
	}
	memcpy(parse->conf->notify, notify.program, sizeof(notify.program));
	return SET_OK;
}

bool
value_print_notify(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct notify_settings *notify;

	if (service == NULL) {
		(void)snprintf(text, KEY_TEXT, "%s", conf->notify);
		return index == 0 && conf->notify[0] != '\0';
	}
	if (index >= service->notify_count)
		return false;
	notify = &service->notifies[index];
	/* Both came from one line of the file, so they fit into one. */
	(void)snprintf(text, KEY_TEXT, "%.*s%s%.*s", NOTIFY_PATH, notify->program[0] == '\0' ? "off" : notify->program,
	    notify->servers[0] == '\0' ? "" : " servers=", KEY_TEXT - NOTIFY_PATH - 16, notify->servers);
	return true;
}
