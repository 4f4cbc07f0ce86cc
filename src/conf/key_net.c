/* SPDX-License-Identifier: ISC */
/* The keys of how frames come and go: `offload`, `queue-discipline`, `withhold`. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "conf/keys.h"

static const char *const offload_names[] = { [OFFLOAD_AUTO] = "auto", [OFFLOAD_TC] = "tc", [OFFLOAD_XDP] = "xdp",
	[OFFLOAD_OFF] = "off" };

const char *
conf_offload_name(enum conf_offload offload)
{
	return offload_names[offload];
}

enum set_result
value_set_offload(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	for (size_t i = 0; i < ARRAY_LEN(offload_names); i++) {
		if (strcmp(value, offload_names[i]) != 0)
			continue;
		parse->conf->offload = (enum conf_offload)i;
		return SET_OK;
	}
	return SET_REFUSED;
}

bool
value_print_offload(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf_offload_name(conf->offload));
	return index == 0;
}

enum set_result
value_set_queue_discipline(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	parse->conf->bypass = strcmp(value, "bypass") == 0;
	return parse->conf->bypass || strcmp(value, "use") == 0 ? SET_OK : SET_REFUSED;
}

bool
value_print_queue_discipline(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->bypass ? "bypass" : "use");
	return index == 0;
}

enum set_result
value_set_withhold(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	return text_bool(value, &parse->conf->withhold) == 0 ? SET_OK : SET_REFUSED;
}

bool
value_print_withhold(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->withhold ? "yes" : "no");
	return index == 0;
}
