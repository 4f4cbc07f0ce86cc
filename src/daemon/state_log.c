/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/state_log.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/log.h"
#include "model/status.h"

#define PORTS_OUT_TEXT 200

static void
state_log_down(const struct state_change *change)
{
	char name[SERVER_NAME_TEXT], fix[SERVER_NAME_TEXT + 32] = "", said[LOG_TEXT], detail[LOG_TEXT];
	struct server_status status;

	server_name(change->server, name);
	server_status(change->server, &status);
	/* A check's reason says enough; a problem with a VIP takes more than a line. */
	if (status.source != STATUS_BY_CHECK)
		(void)snprintf(fix, sizeof(fix), " fix=\"dsrctl doctor %s\"", name);
	log_warning("server-state server=%s from=%s to=%s reason=\"%s\" check=\"%s\"%s", name, change->from, change->to,
	    log_escape(change->reason, said), log_escape(change->detail, detail), fix);
}

static void
state_log_state(const struct state_change *change)
{
	char name[SERVER_NAME_TEXT], detail[LOG_TEXT];

	if (change->server == NULL || change->cause == NULL)
		return;
	if (server_health(change->server) == HEALTH_DOWN)
		state_log_down(change);
	else
		log_notice("server-state server=%s from=%s to=%s reason=\"%s\" check=\"%s\"",
		    server_name(change->server, name),
		    change->from, change->to, change->cause, log_escape(change->detail, detail));
}

/* "tcp/443 tcp/8443", as far as there is room. */
static const char *
state_log_list_ports(const struct server *server, char text[PORTS_OUT_TEXT])
{
	const struct service_settings *service = &server->service->settings;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < service->listen_count && used < PORTS_OUT_TEXT; i++) {
		char range[PORTS_TEXT];

		if (server_listen_state(server, &service->listens[i]) >= LISTEN_REFUSED)
			used += (size_t)snprintf(text + used, PORTS_OUT_TEXT - used, "%s%s", used == 0 ? "" : " ",
			    listen_ports(&service->listens[i], range));
	}
	return text;
}

static void
state_log_ports(const struct server *server)
{
	struct server_status status;
	char name[SERVER_NAME_TEXT], out[PORTS_OUT_TEXT], said[LOG_TEXT];

	/* The state of one that is not UP is in another line. */
	if (server_health(server) != HEALTH_UP)
		return;
	server_name(server, name);
	server_status(server, &status);
	if (server->ports_out != 0)
		log_warning("server-ports server=%s out=\"%s\" reason=\"%s\"", name, state_log_list_ports(server, out),
		    log_escape(status.sentence, said));
	else
		log_notice("server-ports server=%s out=\"\" reason=\"every port gets traffic\"", name);
}

/* A service that loses its quorum has servers, and gets no traffic all the same: that has a line of its own. */
static void
state_log_quorum(const struct service *service)
{
	if (service_is_below_quorum(service))
		log_warning("service-quorum service=%s result=lost up=%zu required=%zu reason=\"%s\"",
		    service->settings.name, service_quorum_up(service), service_quorum_to_reach(service),
		    service_state(service) == HEALTH_UP ? "only the backup servers take new connections" :
		    "the service takes no new connections");
	else
		log_notice("service-quorum service=%s result=reached up=%zu required=%zu",
		    service->settings.name, service_quorum_up(service), service_quorum(service));
}

void
state_log_change(void *context UNUSED, const struct state_change *change)
{
	switch (change->kind) {
	case CHANGE_STATE:
		state_log_state(change);
		break;
	case CHANGE_PORTS:
		state_log_ports(change->server);
		break;
	case CHANGE_QUORUM:
		state_log_quorum(change->service);
		break;
	}
}
