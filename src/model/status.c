/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

#define SUBJECT_TEXT (CHECK_TEXT + 32)

static void status_append(char text[STATUS_TEXT], const char *format, ...) PRINTF_LIKE(2, 3);

static void
status_append(char text[STATUS_TEXT], const char *format, ...)
{
	const size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + length, STATUS_TEXT - length, format, args);
	va_end(args);
}

const char *
status_source_name(enum status_source source)
{
	static const char *const names[] = {
		[STATUS_BY_CHECK] = "check",
		[STATUS_BY_VIP_CHECK] = "vip-check",
		[STATUS_BY_CONFLICT] = "vip-conflict",
		[STATUS_BY_NEIGHBOR] = "neighbor",
		[STATUS_BY_CLIENTS] = "clients",
		[STATUS_BY_OPERATOR] = "operator",
		[STATUS_BY_CONFIGURATION] = "configuration",
	};

	return (unsigned)source < ARRAY_LEN(names) ? names[source] : "?";
}

void
server_check_subject(const struct server *server, size_t index, char text[STATUS_TEXT])
{
	const struct check_settings *check = server_check_settings(server, index);
	const unsigned port = service_check_port(&server->service->settings, check);
	const char *slash;

	switch (check->kind) {
	case CHECK_TCP:
	case CHECK_UDP:
		(void)snprintf(text, STATUS_TEXT, "%s/%u", check_kind_name(check->kind), port);
		return;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		(void)snprintf(text, STATUS_TEXT, "%s :%u%s", check_kind_name(check->kind), port,
		    check->path[0] == '\0' ? "/" : check->path);
		return;
	case CHECK_DNS:
		(void)snprintf(text, STATUS_TEXT, "dns udp/%u %s", port, check->name);
		return;
	case CHECK_ICMP:
		(void)snprintf(text, STATUS_TEXT, "ping");
		return;
	case CHECK_SCRIPT:
		slash = strrchr(check->command, '/');
		(void)snprintf(text, STATUS_TEXT, "script %s", slash == NULL ? check->command : slash + 1);
		return;
	}
	text[0] = '\0';
}

static void
append_expected_statuses(char text[STATUS_TEXT], const struct check_settings *check)
{
	if (check->status_count == 0)
		status_append(text, ", expected %u-%u", HTTP_STATUS_FINE_FIRST, HTTP_STATUS_FINE_LAST);
	for (unsigned i = 0; i < check->status_count; i++) {
		const struct check_status *status = &check->statuses[i];

		status_append(text, i == 0 ? ", expected %u" : ",%u", status->first);
		if (status->last != status->first)
			status_append(text, "-%u", status->last);
	}
}

void
server_check_reason(const struct server *server, size_t index, char text[STATUS_TEXT])
{
	const struct server_check *check = &server->checks[index];
	const bool says_all = check->health.reason == HEALTH_REASON_STATUS ||
	    check->health.reason == HEALTH_REASON_SCRIPT;

	server_check_subject(server, index, text);
	if (check->got[0] == '\0')
		status_append(text, ": %s", health_reason_text(check->health.reason));
	else if (says_all)
		status_append(text, ": %s", check->got);
	else
		status_append(text, ": %s (%s)", health_reason_text(check->health.reason), check->got);
	if (check->health.reason == HEALTH_REASON_STATUS)
		append_expected_statuses(text, server_check_settings(server, index));
}

static bool
has_one_vip(const struct service_settings *service)
{
	for (size_t i = 1; i < service->listen_count; i++)
		if (!addr_equal(&service->listens[i].vip, &service->listens[0].vip))
			return false;
	return true;
}

/* "tcp/80: ...", behind the VIP's address where the service has several. */
static void
status_of_fault(const struct server *server, const struct vip_fault *fault, char text[STATUS_TEXT])
{
	const char *protocol = protocol_name(fault->protocol);
	char addr[ADDR_TEXT];

	text[0] = '\0';
	if (!has_one_vip(&server->service->settings))
		(void)snprintf(text, STATUS_TEXT, "%s ", addr_format(&fault->vip, addr));
	if (fault->port != 0)
		status_append(text, "%s/%u: ", protocol != NULL ? protocol : "?", fault->port);
	status_append(text, "%s", fault->sentence);
}

void
server_listen_reason(const struct server *server, const struct listen_settings *listen, char text[STATUS_TEXT])
{
	const enum listen_state state = server_listen_state(server, listen);

	text[0] = '\0';
	if (state == LISTEN_SERVED)
		return;
	for (const struct vip_fault *fault = server->vip_faults; fault != NULL; fault = fault->next) {
		if (listen_state_by_fault(fault, listen) != state)
			continue;
		status_of_fault(server, fault, text);
		return;
	}
	for (size_t i = 0; i < server->check_count; i++) {
		if (listen_state_by_check(server, i, listen) != state)
			continue;
		server_check_reason(server, i, text);
		return;
	}
}

static void
status_set(struct server_status *status, enum status_source source, const char *name, const char *sentence)
{
	status->source = source;
	(void)snprintf(status->name, sizeof(status->name), "%s", name);
	(void)snprintf(status->sentence, sizeof(status->sentence), "%s", sentence);
}

static void
status_set_check(struct server_status *status, const struct server *server, size_t index)
{
	char text[STATUS_TEXT];

	server_check_reason(server, index, text);
	status_set(status, STATUS_BY_CHECK, health_reason_name(server->checks[index].health.reason), text);
}

/* The first thing that takes a port out. False when nothing does. */
static bool
status_set_ports(struct server_status *status, const struct server *server)
{
	char text[STATUS_TEXT];

	for (const struct vip_fault *fault = server->vip_faults; fault != NULL; fault = fault->next) {
		if (fault->note)
			continue;
		status_of_fault(server, fault, text);
		status_set(status, STATUS_BY_VIP_CHECK, "vip-", text);
		(void)snprintf(status->name, sizeof(status->name), "vip-%s", fault->name);
		return true;
	}
	for (size_t i = 0; i < server->check_count; i++) {
		if (!server->checks[i].one_port || server->checks[i].health.state != HEALTH_DOWN)
			continue;
		status_set_check(status, server, i);
		return true;
	}
	return false;
}

/* Frames cannot be addressed to it, so whatever its checks say follows from that. False when they can. */
static bool
status_set_place(struct server_status *status, const struct server *server)
{
	char addr[ADDR_TEXT], text[STATUS_TEXT];

	addr_format(&server->settings.addr, addr);
	if (server->place == PLACE_SELF) {
		(void)snprintf(text, sizeof(text), "%s is the director's own address: add `local` to the server's "
		    "line if it is to be one of its servers", addr);
		status_set(status, STATUS_BY_CONFIGURATION, "is-director", text);
	} else if (server->place == PLACE_FAR && mac_is_zero(&server->mac)) {
		(void)snprintf(text, sizeof(text), "%s is in none of the director's networks: frames cannot be "
		    "addressed through "
		    "a router; use `method = ipip`, gre, gue or dscp", addr);
		status_set(status, STATUS_BY_CONFIGURATION, "other-network", text);
	} else if (server->place == PLACE_NO_ROUTE) {
		(void)snprintf(text, sizeof(text), "%s is in none of the director's networks, and no route leads there "
		    "by an "
		    "interface of dsrd: add a route, or `gateway = ADDRESS`", addr);
		status_set(status, STATUS_BY_CONFIGURATION, "no-route", text);
	} else if (server->place == PLACE_NO_SOURCE) {
		(void)snprintf(text, sizeof(text), "the director has no %s address on the interface to %s, from which "
		    "it could send "
		    "tunnel packets", server->settings.addr.family == ADDR_IPV6 ? "IPv6" : "IPv4", addr);
		status_set(status, STATUS_BY_CONFIGURATION, "no-source", text);
	} else {
		return false;
	}
	return true;
}

/* This host is one of the servers, and something is in the way. False when nothing is. */
static bool
status_set_local(struct server_status *status, const struct server *server)
{
	/* Around the VIP, or with LOCAL_NOT_OWN the server's address; `apply`: dsr-realserver is what helps. */
	static const struct {
		const char *name;
		const char *before;
		const char *behind;
		bool apply;
	} texts[] = {
		[LOCAL_READY] = { "ok", "", "", false },
		[LOCAL_UNSUPPORTED] = { "local-unsupported", "this host cannot serve the VIP ",
		    " itself: `local` is supported on Linux only", false },
		[LOCAL_NOT_OWN] = { "local-not-own", "", " is none of this host's addresses, and a `local` server has "
		    "one of them", false },
		[LOCAL_NO_VIP] = { "local-no-vip", "this host lacks the VIP ", "", true },
		[LOCAL_VIP_EXPOSED] = { "local-vip-exposed", "this host has the VIP ", " on an interface whose kernel "
		    "answers for it: remove it there", true },
		[LOCAL_ANSWERS_ARP] = { "local-answers-arp", "this host's kernel answers ARP for the VIP ",
		    ", also while another director does", true },
		[LOCAL_REVERSE_PATH] = { "local-rp-filter", "this host's kernel drops the packets for the VIP ",
		    " that dsrd hands to it: type `sysctl -w net.ipv4.conf.all.rp_filter=2`", false },
		[LOCAL_NOT_WITHHELD] = { "local-not-withheld", "this host's kernel would reset the other servers' "
		    "connections to the VIP ", ", since their frames are not withheld from it: look for `withhold` in "
		    "the log", false },
	};
	char addr[ADDR_TEXT], text[STATUS_TEXT];

	if (server->settings.method != ENCAP_LOCAL || server->local == LOCAL_READY)
		return false;
	addr_format(server->local == LOCAL_NOT_OWN ? &server->settings.addr : &server->local_vip, addr);
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s%s", texts[server->local].before, addr,
	    texts[server->local].behind, texts[server->local].apply ? ": type `dsr-realserver apply --vip " : "",
	    texts[server->local].apply ? addr : "", texts[server->local].apply ? "`" : "");
	status_set(status, STATUS_BY_CONFIGURATION, texts[server->local].name, text);
	return true;
}

static void
status_down(struct server_status *status, const struct server *server)
{
	const size_t blamed = health_blame(server->checks, server->check_count);

	if (status_set_place(status, server) || status_set_local(status, server))
		return;
	if (server->health.state == HEALTH_DOWN && blamed < server->check_count)
		status_set_check(status, server, blamed);
	else if (server->health.state == HEALTH_DOWN)
		status_set(status, STATUS_BY_CHECK, health_reason_name(server->health.reason),
		    health_reason_text(server->health.reason));
	else if (server->ports == PORTS_NONE && status_set_ports(status, server))
		return;
	else
		status_set(status, STATUS_BY_CONFLICT, "vip-conflict",
		    "it answers ARP for the VIP or announces it (vip-conflict = remove)");
}

void
server_lost_text(const struct server *server, char text[STATUS_TEXT])
{
	const struct server_lost *lost = &server->lost;
	const char *what = lost->verdict == LOST_ANSWERS ? "connections of the last minute ended without an answer" :
	    "handshakes of the last minute got no answer";

	(void)snprintf(text, STATUS_TEXT, "%" PRIu32 " of %" PRIu32 " %s, with its peers %" PRIu32 " of %" PRIu32,
	    lost->own.failed, lost->own.failed + lost->own.fine, what, lost->peers.failed,
	    lost->peers.failed + lost->peers.fine);
}

/* Healthy, and yet its answers do not reach clients. */
static void
status_set_lost(struct server_status *status, const struct server *server)
{
	char text[STATUS_TEXT];

	status->source = STATUS_BY_CLIENTS;
	(void)snprintf(status->name, sizeof(status->name), server->lost.verdict == LOST_ALL ? "all-handshakes-lost" :
	    server->lost.verdict == LOST_ANSWERS ? "answers-lost" : "handshakes-lost");
	server_lost_text(server, text);
	(void)snprintf(status->sentence, STATUS_TEXT, "%s: %.300s", server->lost.verdict == LOST_ALL ?
	    "no client completes a handshake with any server" : "answers get lost", text);
}

/* Healthy, without a MAC that is believed. */
static void
status_set_unresolved(struct server_status *status, const struct server *server)
{
	char rival[MAC_TEXT], gateway[ADDR_TEXT];

	if (mac_is_zero(&server->mac_rival) && server_is_routed(server)) {
		status_set(status, STATUS_BY_NEIGHBOR, "no-neighbor", "gets no traffic: the gateway ");
		status_append(status->sentence, "%s to it does not answer", addr_format(&server->hop, gateway));
		return;
	}
	if (mac_is_zero(&server->mac_rival)) {
		status_set(status, STATUS_BY_NEIGHBOR, "no-neighbor", server->settings.addr.family == ADDR_IPV6 ?
		    "gets no traffic: its address does not answer neighbor solicitations" :
		    "gets no traffic: its address does not answer ARP");
		return;
	}
	status_set(status, STATUS_BY_NEIGHBOR, "mac-refused", "gets no traffic: its address is claimed by MAC ");
	status_append(status->sentence, "%s, which is not believed", mac_format(&server->mac_rival, rival));
}

/* Two machines claim its address. */
static void
status_set_disputed(struct server_status *status, const struct server *server)
{
	char mac[MAC_TEXT], rival[MAC_TEXT];

	status_set(status, STATUS_BY_NEIGHBOR, "mac-disputed",
	    "two machines claim its address: it gets traffic at MAC ");
	status_append(status->sentence, "%s; %s is not believed", mac_format(&server->mac, mac),
	    mac_format(&server->mac_rival, rival));
}

/* Healthy, and yet perhaps without traffic, or without all of it. */
static void
status_up(struct server_status *status, const struct server *server)
{
	if (server->iface == IFACE_NONE) {
		status_set(status, STATUS_BY_NEIGHBOR, "no-interface", "gets no traffic: no interface leads to it");
	} else if (mac_is_zero(&server->mac)) {
		status_set_unresolved(status, server);
	} else if (server->lost.verdict != LOST_NONE) {
		status_set_lost(status, server);
	} else if (server->ports == PORTS_PARTLY && status_set_ports(status, server)) {
		status_append(status->sentence, "; its other ports get traffic");
	} else if (!mac_is_zero(&server->mac_rival)) {
		status_set_disputed(status, server);
	} else if (server->vip_faults != NULL) {
		status_of_fault(server, server->vip_faults, status->sentence);
		status_append(status->sentence, "; the range gets traffic anyway");
		status->source = STATUS_BY_VIP_CHECK;
		(void)snprintf(status->name, sizeof(status->name), "port-idle");
	} else {
		status->plain = true;
		status_set(status, server->check_count == 0 ? STATUS_BY_VIP_CHECK : STATUS_BY_CHECK, "ok",
		    server->check_count > 0 ? "check succeeded" :
		    server->vip_state == VIP_ACCEPTED ? "the VIP is accepted" : "not checked");
	}
}

static void
status_unknown(struct server_status *status, const struct server *server)
{
	if (server->no_link)
		status_set(status, STATUS_BY_NEIGHBOR, "no-link", "the director's interface to it has no link");
	else if (server->health.state == HEALTH_UP)
		status_set(status, STATUS_BY_VIP_CHECK, "vip-not-checked", "the VIP has not been checked yet");
	else
		status_set(status, STATUS_BY_CHECK, "not-checked", "not checked yet");
}

static void
status_health(struct server_status *status, const struct server *server)
{
	switch (server_health(server)) {
	case HEALTH_DOWN:
		status_down(status, server);
		return;
	case HEALTH_UNKNOWN:
		status_unknown(status, server);
		return;
	case HEALTH_UP:
		break;
	}
	status_up(status, server);
}

/* Administrative and configured settings of the server. False when there is none to mention. */
static bool
status_set_admin(struct server_status *status, const struct server *server)
{
	const struct admin *admin = &server->admin;
	char author[AUTHOR_TEXT], text[STATUS_TEXT];

	if (admin->admin == ADMIN_DISABLED) {
		(void)snprintf(text, sizeof(text), "disabled %s", admin_author_text(&admin->admin_by, author));
		status_set(status, STATUS_BY_OPERATOR, "disabled", text);
	} else if (admin->admin == ADMIN_DRAINED) {
		(void)snprintf(text, sizeof(text), "drained %s: no new connections",
		    admin_author_text(&admin->admin_by, author));
		status_set(status, STATUS_BY_OPERATOR, "drained", text);
	} else if (server->eject.until != 0) {
		char lost[STATUS_TEXT];

		server_lost_text(server, lost);
		(void)snprintf(text, sizeof(text), "ejected (outlier = eject): %.300s", lost);
		status_set(status, STATUS_BY_CLIENTS, "ejected", text);
	} else if (admin->weighted) {
		(void)snprintf(text, sizeof(text), "weight set %s: the file says %" PRIu32,
		    admin_author_text(&admin->weight_by, author), server->settings.weight);
		status_set(status, STATUS_BY_OPERATOR, server_weight(server) == 0 ? "weight-zero" : "weight-changed",
		    text);
	} else if (server_weight(server) == 0) {
		status_set(status, STATUS_BY_CONFIGURATION, "weight-zero", "weight 0: no new connections");
	} else {
		return false;
	}
	return true;
}

/* An operator's or the file's word comes first where it decides, and behind the reason where it does not. */
static void
status_add_admin(struct server_status *status, const struct server *server)
{
	const bool decides = status->state == SERVER_DISABLED || status->state == SERVER_DRAINING;
	struct server_status word = *status;

	if (!status_set_admin(&word, server))
		return;
	if (status->plain || decides) {
		if (!status->plain)
			status_append(word.sentence, "; %s", status->sentence);
		*status = word;
	} else {
		status_append(status->sentence, "; %s", word.sentence);
	}
	status->plain = false;
}

void
server_status(const struct server *server, struct server_status *status)
{
	*status = (struct server_status) { .state = server_state(server) };
	status_health(status, server);
	status_add_admin(status, server);
}
