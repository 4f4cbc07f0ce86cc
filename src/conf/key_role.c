/* SPDX-License-Identifier: ISC */
/* The values of roles: which director serves which group of VIPs. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/keys.h"

#define GROUP_OPTION "group="

static struct role_config *
key_role_config(struct parse *parse)
{
	return &parse->conf->settings.roles;
}

struct role_settings *
key_role_group(struct parse *parse, const char *name)
{
	struct role_config *config = key_role_config(parse);
	const size_t found = role_group_find(config, name);

	if (!key_is_name(name) || strlen(name) >= ROLE_GROUP) {
		parse_error(parse, "`%s` is not a name of a group: at most %d letters, digits, `_`, `-` and `.`", name,
		    ROLE_GROUP - 1);
		return NULL;
	}
	if (found < config->group_count)
		return &config->groups[found];
	if (config->group_count == ROLE_GROUPS) {
		parse_error(parse, "too many groups: at most %d", ROLE_GROUPS);
		return NULL;
	}
	(void)snprintf(config->groups[config->group_count].name, ROLE_GROUP, "%s", name);
	return &config->groups[config->group_count++];
}

/* The argument of a source that has one. */
static enum set_result
key_role_argument(struct parse *parse, struct role_settings *role, const char *word)
{
	switch (role->source) {
	case ROLE_FIXED_ACTIVE:
	case ROLE_FIXED_STANDBY:
		return SET_OK;
	case ROLE_FOLLOW:
		return key_read_address(parse, "followed address", word, &role->addr);
	case ROLE_FILE:
		(void)snprintf(role->path, sizeof(role->path), "%s", word);
		return *word == '/' && strlen(word) < sizeof(role->path) ? SET_OK : SET_REFUSED;
	case ROLE_CARP:
		return key_read_iface(word, role->iface) ? SET_OK : SET_REFUSED;
	}
	return SET_REFUSED;
}

static bool
key_role_source(const char *word, enum role_source *source)
{
	static const char *const words[] = { [ROLE_FIXED_ACTIVE] = "active", [ROLE_FIXED_STANDBY] = "standby",
		[ROLE_FOLLOW] = "follow", [ROLE_FILE] = "file", [ROLE_CARP] = "carp" };

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], word) == 0) {
			*source = (enum role_source)i;
			return true;
		}
	return false;
}

/* "follow 192.0.2.5 group=left" */
enum set_result
key_set_role(struct parse *parse, struct draft *draft, char *value)
{
	const char *source = text_next_word(&value), *word = NULL, *name = ROLE_MAIN;
	struct role_settings role = { .given = true }, *group;
	enum set_result result;

	(void)draft;
	if (source == NULL || !key_role_source(source, &role.source))
		return SET_REFUSED;
	if (role_is_level(role.source)) {
		word = text_next_word(&value);
		if (word == NULL)
			return SET_REFUSED;
	}
	result = key_role_argument(parse, &role, word);
	word = text_next_word(&value);
	if (result != SET_OK)
		return result;
	if (word != NULL && strncmp(word, GROUP_OPTION, strlen(GROUP_OPTION)) == 0)
		name = word + strlen(GROUP_OPTION);
	else if (word != NULL)
		return SET_REFUSED;
	if (text_next_word(&value) != NULL)
		return SET_REFUSED;
	group = key_role_group(parse, name);
	if (group == NULL)
		return SET_REPORTED;
	if (group->given)
		return parse_refuse(parse, "group `%s` has a role already: it can have one", group->name);
	memcpy(role.name, group->name, sizeof(role.name));
	*group = role;
	return SET_OK;
}

bool
key_print_role(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct role_config *config = &conf->settings.roles;
	char source[ROLE_SOURCE_TEXT];
	size_t given = 0;

	(void)service;
	for (size_t i = 0; i < config->group_count; i++) {
		if (!config->groups[i].given || given++ != index)
			continue;
		(void)snprintf(text, KEY_TEXT, "%s%s%s", role_source_text(&config->groups[i], source),
		    i == 0 ? "" : " " GROUP_OPTION, i == 0 ? "" : config->groups[i].name);
		return true;
	}
	return false;
}

enum set_result
key_set_peer_mac(struct parse *parse, struct draft *draft, char *value)
{
	struct role_config *config = key_role_config(parse);
	struct mac mac;
	char *word;

	(void)draft;
	if (*text_trim(value) == '\0')
		return SET_REFUSED;
	while ((word = text_next_word(&value)) != NULL) {
		if (mac_parse(word, &mac) != 0 || mac_is_zero(&mac) || mac_is_group(&mac))
			return SET_REFUSED;
		if (config->peer_count == ROLE_PEERS)
			return parse_refuse(parse, "too many MAC addresses of other directors: at most %d", ROLE_PEERS);
		config->peers[config->peer_count++] = mac;
	}
	return SET_OK;
}

bool
key_print_peer_mac(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	if (index >= conf->settings.roles.peer_count)
		return false;
	(void)mac_format(&conf->settings.roles.peers[index], text);
	return true;
}

enum set_result
key_set_ready_file(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	if (*value != '/' || strlen(value) >= CONF_PATH)
		return SET_REFUSED;
	(void)snprintf(parse->conf->ready_file, sizeof(parse->conf->ready_file), "%s", value);
	return SET_OK;
}

bool
key_print_ready_file(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->ready_file);
	return index == 0 && conf->ready_file[0] != '\0';
}

enum set_result
key_set_group(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	if (!key_is_name(value) || strlen(value) >= ROLE_GROUP)
		return SET_REFUSED;
	(void)snprintf(draft->service.group_name, ROLE_GROUP, "%s", value);
	return SET_OK;
}

bool
key_print_group(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", service->group_name);
	return index == 0;
}

/* --- the rules --- */

/* Where the service got its `group`. */
static const struct place *
key_role_place(const struct parse *parse, const struct draft *draft)
{
	if (draft->given[KEY_GROUP].file != NULL)
		return &draft->given[KEY_GROUP];
	return parse->defaults.given[KEY_GROUP].file != NULL ? &parse->defaults.given[KEY_GROUP] : &draft->place;
}

static void
key_role_resolve(struct parse *parse, struct draft *draft)
{
	const struct role_config *config = key_role_config(parse);
	const size_t group = role_group_find(config, draft->service.group_name);

	if (group == config->group_count) {
		if (!draft->broken[KEY_GROUP])
			parse_error_at(parse, key_role_place(parse, draft), "group `%s` of service `%s` has no role: "
			    "add `role = standby "
			    "group=%s` to [dsrd], or where its role comes from", draft->service.group_name,
			    draft->service.name,
			    draft->service.group_name);
		return;
	}
	draft->service.group = (uint8_t)group;
}

/* No engine may move a VIP itself: the host would reset the connections that dsrd forwards. */
static void
key_role_check_followed(struct parse *parse, const struct role_settings *role)
{
	char addr[ADDR_TEXT];

	for (size_t i = 0; role->source == ROLE_FOLLOW && i < parse->service_count; i++) {
		const struct service_settings *service = &parse->services[i]->service;

		for (size_t j = 0; j < service->listen_count; j++) {
			if (!addr_equal(&service->listens[j].vip, &role->addr))
				continue;
			parse_error_at(parse, &parse->dsrd.given[KEY_ROLE], "`role = follow %s`: that is a VIP, which "
			    "no host may have: "
			    "let the engine move another address, that nothing else uses",
			    addr_format(&role->addr, addr));
			return;
		}
	}
}

void
parse_check_groups(struct parse *parse)
{
	const struct role_config *config = key_role_config(parse);
	bool used[ROLE_GROUPS] = { true };

	for (size_t i = 0; i < parse->service_count; i++) {
		key_role_resolve(parse, parse->services[i]);
		used[parse->services[i]->service.group] = true;
	}
	for (size_t i = 0; i < config->group_count; i++) {
		key_role_check_followed(parse, &config->groups[i]);
		if (!used[i])
			parse_error_at(parse, &parse->dsrd.given[config->groups[i].given ? KEY_ROLE : KEY_ANNOUNCE],
			    "group `%s` has %s, and no service: add `group = %s` to a service", config->groups[i].name,
			    config->groups[i].given ? "a role" : "an `announce`", config->groups[i].name);
	}
}
