/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"
#include "conf/source.h"

static void
draft_clear(struct draft *draft)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		free(draft->texts[i]);
	free(draft->service.listens);
	free(draft->service.servers);
	free(draft->service.checks);
	free(draft->service.notifies);
	free(draft->listen_places);
	free(draft->server_places);
}

static void
parse_clear(struct parse *parse)
{
	draft_clear(&parse->dsrd);
	draft_clear(&parse->defaults);
	for (size_t i = 0; i < parse->service_count; i++) {
		draft_clear(parse->services[i]);
		free(parse->services[i]);
	}
	free(parse->services);
	for (size_t i = 0; i < parse->source_count; i++) {
		free(parse->sources[i]->name);
		free(parse->sources[i]);
	}
	free(parse->sources);
}

/* Moves the services from the drafts to the configuration. False when memory is out. */
static bool
give_services(struct parse *parse)
{
	struct settings *settings = &parse->conf->settings;

	settings->services = calloc(parse->service_count, sizeof(*settings->services));
	if (settings->services == NULL) {
		parse_out_of_memory(parse);
		return false;
	}
	for (size_t i = 0; i < parse->service_count; i++) {
		struct service_settings *service = &parse->services[i]->service;

		settings->services[i] = *service;
		service->listens = NULL;
		service->servers = NULL;
		service->checks = NULL;
		service->notifies = NULL;
	}
	settings->service_count = parse->service_count;
	return true;
}

/* All lines have been read: fills in defaults and reports contradictions. */
static void
conf_complete(struct parse *parse)
{
	struct conf *conf = parse->conf;

	key_fill(parse, &parse->dsrd);
	conf->settings.hash_key = hash_key_derive(conf->hash_key[0] != '\0' ? conf->hash_key : "dsrd");
	for (size_t i = 0; i < parse->service_count; i++) {
		struct draft *draft = parse->services[i];

		key_fill(parse, draft);
		/* One key for both states in which the client has said its last word. */
		draft->service.timeouts.state[CONN_TIME_WAIT] = draft->service.timeouts.state[CONN_FIN_WAIT];
		if (draft->service.iface[0] == '\0')
			memcpy(draft->service.iface, conf->iface, IFACE_NAME);
	}
	parse->place = (struct place){ .file = parse->sources[0]->name };
	parse_check(parse);
}

static int
load(const char *path, FILE *in, struct files *files, struct conf *conf, struct errlist *errors)
{
	struct parse parse = {
		.conf = conf,
		.errors = errors,
		.files = files,
		.dsrd = { .kind = CONF_IN_DSRD },
		.defaults = { .kind = CONF_IN_DEFAULTS },
		.place = { .file = path },
	};
	size_t before = errlist_count(errors);
	bool good;

	memset(conf, 0, sizeof(*conf));
	conf->settings.roles.group_count = 1;
	(void)snprintf(conf->settings.roles.groups[0].name, ROLE_GROUP, ROLE_MAIN);
	if (in != NULL)
		parse_stream(&parse, in, path);
	else
		parse_file(&parse, path);
	if (parse.source_count > 0)
		conf_complete(&parse);
	good = errlist_count(errors) == before && give_services(&parse);
	parse_clear(&parse);
	if (!good)
		conf_clear(conf);
	return good ? 0 : -1;
}

int
conf_load(const char *path, struct conf *conf, struct errlist *errors)
{
	struct files files = { 0 };

	return load(path, NULL, &files, conf, errors);
}

int
conf_record(const char *path, FILE *record)
{
	struct files files = { .record = record };
	struct errlist *errors = errlist_new();
	struct conf conf;

	if (errors == NULL)
		return -1;
	/* Its errors come again when the record is played. */
	if (load(path, NULL, &files, &conf, errors) == 0)
		conf_clear(&conf);
	errlist_free(errors);
	return fflush(record) == 0 && !ferror(record) ? 0 : -1;
}

int
conf_play(const char *path, const char *record, size_t length, struct conf *conf, struct errlist *errors, bool *denied)
{
	struct files files = { .play = record, .end = record + length };
	const int result = load(path, NULL, &files, conf, errors);

	*denied = files.denied;
	return result;
}

int
conf_read(FILE *in, const char *name, struct conf *conf, struct errlist *errors)
{
	struct files files = { 0 };

	return load(name, in, &files, conf, errors);
}

void
conf_clear(struct conf *conf)
{
	settings_clear(&conf->settings);
	memset(conf, 0, sizeof(*conf));
}

void
conf_set_iface(struct conf *conf, const char *iface)
{
	char old[IFACE_NAME];

	memcpy(old, conf->iface, sizeof(old));
	(void)snprintf(conf->iface, sizeof(conf->iface), "%s", iface);
	for (size_t i = 0; i < conf->settings.service_count; i++) {
		struct service_settings *service = &conf->settings.services[i];

		if (strcmp(service->iface, old) == 0)
			memcpy(service->iface, conf->iface, sizeof(service->iface));
	}
}

int
conf_need_iface(const struct conf *conf, const char *path, struct errlist *errors)
{
	for (size_t i = 0; i < conf->settings.service_count; i++) {
		if (conf->settings.services[i].iface[0] != '\0')
			continue;
		errlist_add(errors, path, 0,
		    "service `%s` has no network interface: put `interface = NAME` into [dsrd], or "
		    "start dsrd with -i NAME",
		    conf->settings.services[i].name);
		return -1;
	}
	return 0;
}

/*
 * Without a path of its own it stands beside the control socket: directors with sockets of their own have their own
 * states.
 */
void
conf_state_path(const struct conf *conf, char path[CONF_PATH])
{
	static const char suffix[] = ".sock";
	const char *control = conf->control[0] == '/' ? conf->control : CONF_CONTROL;
	size_t length = strlen(control);

	if (conf->state[0] != '\0') {
		(void)snprintf(path, CONF_PATH, "%s", conf->state);
		return;
	}
	if (length > strlen(suffix) && strcmp(control + length - strlen(suffix), suffix) == 0)
		length -= strlen(suffix);
	(void)snprintf(path, CONF_PATH, "%.*s.state", (int)length, control);
}

/* `service` is NULL for [dsrd]. */
static void
dump_section(const struct conf *conf, const struct service_settings *service, unsigned kind, FILE *out)
{
	char text[KEY_TEXT];

	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *key = &keys[i];

		size_t index = 0;

		if ((key->info.sections & kind) == 0 || !key_is_printed(key))
			continue;
		for (; key_print(key, conf, service, index, text); index++)
			(void)fprintf(out, "%s = %s\n", key->info.name, text);
		if (index == 0 && kind == CONF_IN_DSRD)
			(void)fprintf(out, "; %s is not set: it takes %s\n", key->info.name, key->info.takes);
	}
}

void
conf_dump(const struct conf *conf, FILE *out)
{
	(void)fprintf(out, "[dsrd]\n");
	dump_section(conf, NULL, CONF_IN_DSRD, out);
	for (size_t i = 0; i < conf->settings.service_count; i++) {
		const struct service_settings *service = &conf->settings.services[i];

		(void)fprintf(out, "\n[service %s]\n", service->name);
		dump_section(conf, service, CONF_IN_SERVICE, out);
	}
}
