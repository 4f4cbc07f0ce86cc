/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/selector.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int
selector_parse(const char *text, struct selector *selector, char error[SELECTOR_ERROR])
{
	const char *slash = strchr(text, '/');
	const size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);

	memset(selector, 0, sizeof(*selector));
	if (addr_parse(text, &selector->addr) == 0)
		return 0;
	memset(&selector->addr, 0, sizeof(selector->addr));
	if (length == 0 || length >= SELECTOR_NAME || (slash != NULL && (slash[1] == '\0' ||
	    strchr(slash + 1, '/') != NULL || strlen(slash + 1) >= SELECTOR_NAME))) {
		(void)snprintf(error, SELECTOR_ERROR, "`%.100s` selects nothing: type SERVICE, SERVICE/SERVER, a "
		    "pattern such as "
		    "'shop-*' or '*/web3', or an address", text);
		return -1;
	}
	(void)snprintf(selector->service, sizeof(selector->service), "%.*s", (int)length, text);
	if (slash != NULL)
		(void)snprintf(selector->server, sizeof(selector->server), "%s", slash + 1);
	return 0;
}

bool
selector_matches(const struct selector *selector, const char *service, const char *server, const struct addr *addr)
{
	if (addr_is_set(&selector->addr))
		return addr != NULL && addr_equal(&selector->addr, addr);
	if (service == NULL || fnmatch(selector->service, service, 0) != 0)
		return false;
	return selector->server[0] == '\0' || (server != NULL && fnmatch(selector->server, server, 0) == 0);
}

bool
selector_has_vip(const struct selector *selector, const struct service *service)
{
	for (size_t i = 0; i < service->settings.listen_count && !selector->servers_only; i++)
		if (addr_equal(&selector->addr, &service->settings.listens[i].vip))
			return true;
	return false;
}

static bool
selector_has_server(const struct selector *selector, const struct server *server)
{
	return selector_matches(selector, server->service->settings.name, server->settings.name,
	    &server->settings.addr) ||
	    selector_has_vip(selector, server->service);
}

/* The service as such, or a server of it. */
static bool
selector_has_service(const struct selector *selector, const struct service *service)
{
	if (selector_has_vip(selector, service) ||
	    (selector->server[0] == '\0' && selector_matches(selector, service->settings.name, NULL, NULL)))
		return true;
	for (size_t i = 0; i < service->server_count; i++)
		if (selector_has_server(selector, service->servers[i]))
			return true;
	return false;
}

/* The one of both that is nearer to `text`; NULL when neither is near. `best` may be NULL. */
static const char *
selector_nearer(const char *text, const char *best, const char *other)
{
	const char *const names[] = { best != NULL ? best : other, best != NULL ? other : NULL, NULL };

	return text_nearest(text, names);
}

/*
 * For an existing service the server with the most similar name, else the service; as a question. Empty: none is
 * similar.
 */
static void
selector_suggest(const char *text, const struct model *model, char *out, size_t size)
{
	const char *slash = strchr(text, '/'), *service = NULL, *server = NULL;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *at = model->services[i];
		const size_t length = strlen(at->settings.name);

		service = selector_nearer(text, service, at->settings.name);
		if (slash == NULL || (size_t)(slash - text) != length || strncmp(text, at->settings.name, length) != 0)
			continue;
		for (size_t j = 0; j < at->server_count; j++)
			server = selector_nearer(slash + 1, server, at->servers[j]->settings.name);
	}
	out[0] = '\0';
	if (server != NULL)
		(void)snprintf(out, size, ", did you mean `%.*s/%s`?", (int)(slash - text), text, server);
	else if (service != NULL)
		(void)snprintf(out, size, ", did you mean `%s`?", service);
}

enum selection_result
selection_add(struct selection *selection, const char *text, enum selection_use use, const struct model *model,
    char error[SELECTOR_ERROR])
{
	struct selector *selector = &selection->selectors[selection->count];
	char hint[2 * NAME_MOST + 32];

	if (selection->count == SELECTORS_MOST) {
		(void)snprintf(error, SELECTOR_ERROR, "more than %d names at a time", SELECTORS_MOST);
		return SELECTION_WRONG;
	}
	if (selector_parse(text, selector, error) == -1)
		return SELECTION_WRONG;
	selector->servers_only = use == SELECTION_CHANGE;
	for (size_t i = 0; i < model->service_count; i++) {
		if (!selector_has_service(selector, model->services[i]))
			continue;
		if (use == SELECTION_CHANGE && selector->server[0] == '\0' && !addr_is_set(&selector->addr)) {
			(void)snprintf(error, SELECTOR_ERROR, "`%.100s` is a service: type `%.100s/SERVER`, or '%.100s/*' for all of "
			    "its servers", text, text, text);
			return SELECTION_WRONG;
		}
		selection->count++;
		return SELECTION_OK;
	}
	selector_suggest(text, model, hint, sizeof(hint));
	(void)snprintf(error, SELECTOR_ERROR, "there is no %sserver `%.100s`%s", use == SELECTION_LIST ? "service or " :
	    "",
	    text, hint[0] != '\0' ? hint : ": dsrctl show names lists them");
	return SELECTION_UNKNOWN;
}

bool
selection_has(const struct selection *selection, const struct server *server)
{
	for (size_t i = 0; selection != NULL && i < selection->count; i++)
		if (selector_has_server(&selection->selectors[i], server))
			return true;
	return selection == NULL || selection->count == 0;
}

bool
selection_has_service(const struct selection *selection, const struct service *service)
{
	for (size_t i = 0; selection != NULL && i < selection->count; i++)
		if (selector_has_service(&selection->selectors[i], service))
			return true;
	return selection == NULL || selection->count == 0;
}
