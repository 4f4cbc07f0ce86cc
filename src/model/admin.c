/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/model.h"

bool
admin_admin(struct server *server, enum admin_state admin, uint64_t now)
{
	if (server->admin.admin == admin)
		return false;
	server->admin.admin = admin;
	if (admin == ADMIN_DRAINED) {
		server->admin.drain_began = now;
		server->admin.drain_flows = admin_flows(server);
	}
	return true;
}

bool
admin_weight(struct server *server, uint32_t weight)
{
	if (admin_given_weight(server) == weight)
		return false;
	server->admin.weight = weight;
	server->admin.weighted = weight != server->settings.weight;
	return true;
}

void
admin_reload(struct server *server, uint32_t weight)
{
	struct admin *admin = &server->admin;

	admin->overruled = admin->weighted && weight != server->settings.weight;
	if (admin->overruled || weight == admin->weight)
		admin->weighted = false;
}

bool
admin_differs(const struct server *server)
{
	return server->admin.weighted || server->admin.admin != ADMIN_ENABLED;
}

uint32_t
admin_given_weight(const struct server *server)
{
	return server->admin.weighted ? server->admin.weight : server->settings.weight;
}

uint32_t
admin_flows(const struct server *server)
{
	return server->run->active + server->run->inactive;
}

uint64_t
admin_drain_estimate(const struct server *server, uint64_t now)
{
	const struct admin *admin = &server->admin;
	const uint32_t left = admin_flows(server);

	if (left == 0)
		return 0;
	if (left >= admin->drain_flows || now <= admin->drain_began)
		return UINT64_MAX;
	/* As floating point: flows times microseconds of a day are beyond 64 bits. */
	return (uint64_t)((double)(now - admin->drain_began) * left / (admin->drain_flows - left));
}

struct admin_author
admin_author_after(const struct admin_author *author, const struct admin_author *known)
{
	struct admin_author after = *author;

	if (after.when <= known->when)
		after.when = known->when + 1;
	return after;
}

void
admin_author_set_name(struct admin_author *author, const char *name)
{
	const size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	author->name[0] = '\0';
	if (length < sizeof(author->name) && name[length] == '\0')
		memcpy(author->name, name, length + 1);
}

const char *
admin_author_name(const struct admin_author *author)
{
	return author->name[0] != '\0' ? author->name : "-";
}

const char *
admin_author_text(const struct admin_author *author, char text[AUTHOR_TEXT])
{
	char who[ADMIN_NAME + 32] = "an operator", at[DATE_TEXT];

	if (author->user >= 0 && author->name[0] != '\0')
		(void)snprintf(who, sizeof(who), "%s (uid %" PRId64 ")", author->name, author->user);
	else if (author->user >= 0 && author->when != 0)
		(void)snprintf(who, sizeof(who), "uid %" PRId64, author->user);
	text_format_date(author->when, at);
	(void)snprintf(text, AUTHOR_TEXT, "by %s%s%s", who, author->when == 0 || at[0] == '\0' ? "" : " at ",
	    author->when == 0 ? "" : at);
	return text;
}

const char *
admin_state_name(enum admin_state admin)
{
	switch (admin) {
	case ADMIN_ENABLED:
		return "enabled";
	case ADMIN_DRAINED:
		return "drained";
	case ADMIN_DISABLED:
		break;
	}
	return "disabled";
}
