/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "doctor/check_evidence.h"

/* --- what is known of one server and VIP --- */

/* What was watched over the last minute, of this server and by strangers. */
static void
machine_add_watched(const struct machine *machine, const struct subject *subject, struct diagnose_facts *facts)
{
	const struct report_facts *known = machine->view->facts;
	const struct conflict_table *conflicts = &known->forwarder->conflicts;

	for (size_t i = 0; i < conflicts->count; i++) {
		const struct conflict *conflict = &conflicts->list[i];
		const bool is_server = mac_equal(&conflict->mac, &subject->mac);

		if (conflict->iface != subject->iface || !addr_equal(&conflict->vip, &subject->vip) ||
		    conflict_has_ended(conflict, known->now))
			continue;
		switch (conflict->kind) {
		case CONFLICT_ANSWERS:
			break; /* probed again, see doctor/examine.h */
		case CONFLICT_ANNOUNCES:
		case CONFLICT_REQUESTS_AS:
			if (is_server)
				facts->announced = true;
			else if (model_server_by_mac(known->model, conflict->iface, &conflict->mac) == NULL)
				facts->foreign = conflict->mac;
			break;
		case CONFLICT_SENDS_BACK:
			facts->bounced |= is_server;
			break;
		case CONFLICT_KIND_COUNT:
			break;
		}
	}
}

/*
 * Does another server of the service, with another address, have the same MAC? In different services one machine may
 * well be known by different addresses, and in one by an IPv4 and an IPv6 address.
 */
static bool
machine_shares_mac(const struct server *server, const struct subject *subject)
{
	const struct service *service = server->service;

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *other = service->servers[i];

		if (other->iface == subject->iface && mac_equal(&other->mac, &subject->mac) &&
		    other->settings.addr.family == subject->own.family && !mac_is_zero(&subject->mac) &&
		    !addr_equal(&other->settings.addr, &subject->own))
			return true;
	}
	return false;
}

static bool
machine_is_director(const struct machine *machine, const struct addr *own)
{
	const struct report_facts *known = machine->view->facts;

	for (size_t i = 0; i < known->iface_count; i++)
		if (iface_has_address(known->ifaces[i].iface, own))
			return true;
	return false;
}

static void
machine_list_networks(struct machine *machine, const struct iface *iface, enum addr_family family)
{
	size_t used = 0;

	machine->networks[0] = '\0';
	for (size_t i = 0; i < iface->address_count && used < NETWORKS_TEXT; i++) {
		char addr[ADDR_TEXT];

		if (iface->addresses[i].addr.family == family)
			used += (size_t)snprintf(machine->networks + used, NETWORKS_TEXT - used, "%s%s/%u", used == 0 ?
			    "" : ", ",
			    addr_format(&iface->addresses[i].addr, addr), iface->addresses[i].length);
	}
}

/* What packets to the server may have, before the method adds to them. */
static uint32_t
machine_limit(const struct server *server, const struct iface *iface)
{
	const uint32_t overhead = encap_overhead(server->settings.method,
	    (enum addr_family)server->settings.addr.family);
	const uint32_t mtu = server->run->path.mtu != 0 && server->run->path.mtu < iface->mtu ? server->run->path.mtu :
	    iface->mtu;

	return mtu > overhead ? mtu - overhead : 0;
}

/* What holds of the server whatever the VIP; also for one without an interface. */
static struct diagnose_facts
machine_gather_server(struct machine *machine, const struct server *server)
{
	const struct report_facts *known = machine->view->facts;
	struct diagnose_facts facts = { .own = server->settings.addr, .mac = server->mac };
	const struct iface *iface = server->iface < known->iface_count ? known->ifaces[server->iface].iface : NULL;
	const struct listen_settings *listens = server->service->settings.listens;

	if (server->service->settings.listen_count > 0) {
		facts.vip = listens[0].vip;
		facts.protocol = listens[0].protocol;
		facts.port = listens[0].first;
	}
	/* What holds of all servers is said of the service. */
	facts.lost = server->lost.verdict == LOST_ALL ? LOST_NONE : server->lost.verdict;
	facts.client = server->lost.client;
	if (server->settings.method == ENCAP_LOCAL) {
		facts.local = server->local;
		facts.vip = server->local_vip;
	} else {
		facts.is_director = machine_is_director(machine, &facts.own);
	}
	facts.other_network = iface == NULL;
	facts.method = (uint8_t)server->settings.method;
	facts.dscp = listens == NULL ? 0 : listens[0].dscp;
	facts.path = server->run->path;
	if (server_is_routed(server))
		facts.gateway_address = server->hop;
	facts.networks = machine->networks;
	if (iface != NULL) {
		const struct addr *director = iface_address(iface, (enum addr_family)facts.own.family);

		machine_list_networks(machine, iface, (enum addr_family)facts.own.family);
		facts.interface = iface->name;
		facts.director_mtu = machine_limit(server, iface);
		/* With a route to it a server elsewhere may well be reached. */
		facts.other_network = director != NULL && server->settings.method == ENCAP_MAC && !iface_is_on_link(iface, &facts.own) &&
		    server_state(server) != SERVER_UP;
		if (director != NULL)
			facts.director = *director;
	}
	facts.checks_silent = server->health.state == HEALTH_DOWN && server->health.reason == HEALTH_REASON_TIMEOUT;
	return facts;
}

/* What was seen on the server's own segment: behind a router there is nothing of it. */
static void
machine_add_link(const struct machine *machine, const struct server *server, const struct subject *subject,
    struct diagnose_facts *facts)
{
	const struct doctor_view *view = machine->view;

	facts->silent = examine_is_silent(view->examination, subject);
	facts->nameless = subject->present && subject->requested_as && !subject->answered_as;
	/* Another host that answers now, or has claimed the address of late. */
	facts->twin = mac_is_zero(&subject->twin) ? server->mac_rival : subject->twin;
	facts->shares_mac = machine_shares_mac(server, subject);
	facts->arp_broadcast = subject->arp_broadcast;
	facts->arp_unicast = subject->arp_unicast;
	facts->foreign = subject->foreign;
	facts->gateway = subject->gateway;
	facts->forwards = subject->gateway && view->forwards(view->context, subject->iface,
	    (enum addr_family)subject->vip.family);
	facts->mask_answered = true;
	for (size_t i = 0; i < EXAMINE_UNUSED; i++)
		facts->mask_answered &= subject->unused_answered[i];
}

static struct diagnose_facts
machine_gather(struct machine *machine, const struct server *server, const struct subject *subject)
{
	const struct doctor_view *view = machine->view;
	struct diagnose_facts facts = machine_gather_server(machine, server);

	facts.vip = subject->vip;
	facts.mac = subject->mac;
	if (!server_is_routed(server))
		machine_add_link(machine, server, subject, &facts);
	facts.dns = view->name(view->context, server) == NAME_IS_VIP;
	facts.port = subject->port;
	facts.protocol = subject->port != 0 ? PROTOCOL_TCP : PROTOCOL_UDP;
	machine_add_watched(machine, subject, &facts);
	return facts;
}

/* --- rows --- */

/* Is it about the machine, not about one of its VIPs? */
static bool
machine_is_subject(enum diagnosis diagnosis)
{
	switch ((int)diagnosis) {
	case DIAGNOSIS_LOCAL_UNSUPPORTED:
	case DIAGNOSIS_LOCAL_NOT_OWN:
	case DIAGNOSIS_IS_DIRECTOR:
	case DIAGNOSIS_OTHER_NETWORK:
	case DIAGNOSIS_GATEWAY_UNREACHABLE:
	case DIAGNOSIS_UNREACHABLE:
	case DIAGNOSIS_PROXY_ARP:
	case DIAGNOSIS_NOT_ADJACENT:
	case DIAGNOSIS_DUPLICATE_ADDRESS:
	case DIAGNOSIS_TAKES_NETWORK:
	case DIAGNOSIS_SHORT_MASK:
	case DIAGNOSIS_SAME_MACHINE:
	case DIAGNOSIS_OWN_REFUSED:
	case DIAGNOSIS_CHECK_FAILED:
	case DIAGNOSIS_SERVER_DOWN:
	case DIAGNOSIS_HANDSHAKES_LOST:
	case DIAGNOSIS_ANSWERS_LOST:
		return true;
	default:
		return false;
	}
}

/* Faults that harm clients whether the server is in use or not. */
static bool
machine_harms_others(enum diagnosis diagnosis)
{
	switch ((int)diagnosis) {
	case DIAGNOSIS_DUPLICATE_ADDRESS:
	case DIAGNOSIS_ANSWERS_ARP:
	case DIAGNOSIS_ANSWERED_FOR_SERVER:
	case DIAGNOSIS_ANNOUNCES:
	case DIAGNOSIS_FOREIGN_OWNER:
	case DIAGNOSIS_SHORT_MASK:
	case DIAGNOSIS_DNS_HAS_VIP:
		return true;
	default:
		return false;
	}
}

static void
machine_place(const struct machine_row *row, const struct diagnose_facts *facts, char place[PORT_TEXT])
{
	if (machine_is_subject(row->diagnosis))
		addr_format(&facts->own, place);
	else if (diagnosis_is_of_port(row->diagnosis))
		report_port(&facts->vip, facts->protocol, facts->port, place);
	else
		addr_format(&facts->vip, place);
}

/* Is `name` one of the words of "a, b, c"? */
static bool
machine_is_listed(const char *list, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name))
		if ((at == list || at[-1] == ' ') && (at[length] == '\0' || at[length] == ','))
			return true;
	return false;
}

static void
machine_list(struct machine_row *row, const char *place)
{
	const size_t used = strlen(row->also), length = strlen(place);

	if (strcmp(place, row->place) == 0 || machine_is_listed(row->also, place))
		return;
	if (row->unnamed > 0 || used + length + 3 > ALSO_TEXT) {
		row->unnamed++;
		return;
	}
	snprintf(row->also + used, ALSO_TEXT - used, "%s%s", used == 0 ? "" : ", ", place);
}

static bool
machine_same_check(const struct machine_row *row, const struct server *server, size_t check)
{
	char label[CHECK_LABEL], other[CHECK_LABEL];
	const struct check_settings *mine, *its;

	if (row->diagnosis != DIAGNOSIS_CHECK_FAILED && row->diagnosis != DIAGNOSIS_OWN_REFUSED)
		return true;
	mine = server_check_settings(row->server, row->check);
	its = server_check_settings(server, check);
	check_label(mine, &row->facts.own, service_check_port(&row->server->service->settings, mine), label);
	check_label(its, &server->settings.addr, service_check_port(&server->service->settings, its), other);
	return strcmp(label, other) == 0;
}

static void
machine_add(struct machine *machine, enum diagnosis diagnosis, const struct server *server, size_t check,
    const struct diagnose_facts *facts)
{
	const bool note = diagnosis_severity(diagnosis) == SEVERITY_NOTE ||
	    (server_state(server) == SERVER_DISABLED && !machine_harms_others(diagnosis));
	struct machine_row *row;
	char place[PORT_TEXT];

	machine->found[diagnosis] = true;
	for (size_t i = 0; i < machine->row_count; i++) {
		row = &machine->rows[i];
		if (row->diagnosis != diagnosis || !machine_same_check(row, server, check))
			continue;
		machine_place(row, facts, place);
		machine_list(row, place);
		row->note &= note;
		return;
	}
	if (machine->row_count == MACHINE_ROWS) {
		machine->rows[MACHINE_ROWS - 1].unnamed++;
		return;
	}
	row = &machine->rows[machine->row_count++];
	memset(row, 0, sizeof(*row));
	row->diagnosis = diagnosis;
	row->note = note;
	row->server = server;
	row->check = check;
	row->facts = *facts;
	machine_place(row, facts, row->place);
}

/* --- from facts to rows --- */

static void
machine_diagnose(struct machine *machine, const struct server *server, const struct diagnose_facts *facts)
{
	enum diagnosis found[DIAGNOSIS_COUNT];
	const size_t count = diagnose(facts, found);

	for (size_t i = 0; i < count; i++)
		machine_add(machine, found[i], server, 0, facts);
}

static bool
machine_is_check_of(const struct vipcheck *check, const struct server *server, const struct addr *vip)
{
	return server_ref_equal(check->ref, server->ref) && check->settled && addr_equal(&check->vip, vip);
}

/* All findings about one VIP on one server. */
static void
machine_diagnose_vip(struct machine *machine, const struct server *server, const struct subject *subject)
{
	const struct vipcheck_table *vipchecks = machine->view->facts->forwarder->vipchecks;
	struct diagnose_facts facts = machine_gather(machine, server, subject);
	bool any = false;

	for (size_t i = 0; i < vipcheck_count(vipchecks); i++)
		facts.others_accepted |= machine_is_check_of(vipcheck_at(vipchecks, i), server, &subject->vip) &&
		    vipcheck_at(vipchecks, i)->verdict == VIPCHECK_ACCEPTED;
	for (size_t i = 0; i < vipcheck_count(vipchecks); i++) {
		const struct vipcheck *check = vipcheck_at(vipchecks, i);

		if (!machine_is_check_of(check, server, &subject->vip))
			continue;
		facts.protocol = check->protocol;
		facts.port = check->port;
		facts.verdict = check->verdict;
		facts.evidence = &check->last;
		machine_diagnose(machine, server, &facts);
		any = true;
	}
	if (!any)
		machine_diagnose(machine, server, &facts);
}

/* Is the VIP accepted where the health check tests the server's own address? */
static bool
machine_accepts(const struct machine *machine, const struct server *server, uint16_t port)
{
	const struct vipcheck_table *vipchecks = machine->view->facts->forwarder->vipchecks;

	for (size_t i = 0; i < vipcheck_count(vipchecks); i++)
		if (server_ref_equal(vipcheck_at(vipchecks, i)->ref, server->ref) &&
		    vipcheck_at(vipchecks, i)->port == port &&
		    vipcheck_at(vipchecks, i)->verdict == VIPCHECK_ACCEPTED)
			return true;
	return false;
}

static void
machine_diagnose_checks(struct machine *machine, const struct server *server)
{
	const struct service_settings *settings = &server->service->settings;

	for (size_t i = 0; i < server->check_count; i++) {
		const struct health *health = &server->checks[i].health;
		struct diagnose_facts facts = machine_gather_server(machine, server);
		enum diagnosis diagnosis;

		if (health->state != HEALTH_DOWN)
			continue;
		facts.port = service_check_port(settings, server_check_settings(server, i));
		diagnosis = diagnose_check(machine->found, health->reason,
		    machine_accepts(machine, server, facts.port));
		if (diagnosis != DIAGNOSIS_SERVER_DOWN)
			machine_add(machine, diagnosis, server, i, &facts);
	}
}

static size_t
machine_diagnose_server(struct machine *machine, const struct server *server)
{
	const struct examination *examination = machine->view->examination;
	size_t subjects = 0;

	for (size_t i = 0; i < examination->count; i++) {
		if (!server_ref_equal(examination->subjects[i].ref, server->ref))
			continue;
		machine_diagnose_vip(machine, server, &examination->subjects[i]);
		subjects++;
	}
	return subjects;
}

void
machine_examine(struct machine *machine, const struct doctor_view *view, const struct server *const *servers,
    size_t count)
{
	const struct report_facts *known = view->facts;

	memset(machine, 0, sizeof(*machine));
	machine->view = view;
	machine->servers = servers;
	machine->count = count;
	machine->unexamined = servers[0]->iface < known->iface_count && !known->ifaces[servers[0]->iface].iface->up;
	/* The director's interface is the problem then, and is reported as such. */
	if (machine->unexamined)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct diagnose_facts facts = machine_gather_server(machine, servers[i]);

		/* Without an interface nothing was probed; beyond the doctor's limit only checks are used. */
		if (machine_diagnose_server(machine, servers[i]) == 0 &&
		    (facts.is_director || facts.local != LOCAL_READY || servers[i]->iface == IFACE_NONE || mac_is_zero(&servers[i]->mac) ||
		    facts.lost != LOST_NONE))
			machine_diagnose(machine, servers[i], &facts);
		machine_diagnose_checks(machine, servers[i]);
	}
	for (size_t i = 0; i < count; i++) {
		const struct diagnose_facts facts = machine_gather_server(machine, servers[i]);

		if (server_state(servers[i]) == SERVER_DOWN && machine_problems(machine) == 0)
			machine_add(machine, DIAGNOSIS_SERVER_DOWN, servers[i], 0, &facts);
		else if (server_health(servers[i]) == HEALTH_UP && servers[i]->ports == PORTS_PARTLY &&
		    machine_problems(machine) == 0)
			machine_add(machine, DIAGNOSIS_PORT_OUT, servers[i], 0, &facts);
	}
}

size_t
machine_problems(const struct machine *machine)
{
	size_t problems = 0;

	for (size_t i = 0; i < machine->row_count; i++)
		problems += !machine->rows[i].note;
	return problems;
}

unsigned
machine_systems(const struct machine *machine)
{
	const struct vipcheck_table *vipchecks = machine->view->facts->forwarder->vipchecks;
	unsigned systems = SYSTEM_ANY;

	for (size_t i = 0; i < vipcheck_count(vipchecks); i++) {
		const struct vipcheck *check = vipcheck_at(vipchecks, i);
		const unsigned guess = check->settled ? system_guess_evidence(&check->last) : SYSTEM_ANY;

		if (addr_equal(&check->server->settings.addr, &machine->servers[0]->settings.addr) &&
		    (systems & guess) != 0)
			systems &= guess;
	}
	return systems;
}
