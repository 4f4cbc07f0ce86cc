/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/doctor.h"

#include <string.h>

#include "base/attr.h"
#include "doctor/diagnosis.h"

/* One server while it is reported on. */
struct patient {
	struct writer *writer;
	const struct doctor_view *view;
	const struct server *server;
	size_t problems;
	bool told[DIAGNOSIS_COUNT]; /* about the VIP at hand; those of a port are told for each */
};

bool
doctor_concerns(const char *service_name, const char *name, const struct server *server)
{
	if (*service_name != '\0' && strcmp(service_name, server->service->settings.name) != 0)
		return false;
	return *name == '\0' || strcmp(name, server->settings.name) == 0;
}

/* --- evidence --- */

static void
reply_text(const struct reply *reply, char *text, size_t size)
{
	char from[ADDR_TEXT], mac[MAC_TEXT];

	addr_format(&reply->from, from);
	mac_format(&reply->mac, mac);
	switch (reply->answer) {
	case ANSWER_UNREACHABLE:
		snprintf(text, size, "ICMP type %u code %u from %s (%s)", reply->icmp_type, reply->icmp_code,
		    from, mac);
		return;
	case ANSWER_SYN_ACK:
	case ANSWER_RESET:
	case ANSWER_ECHO:
	case ANSWER_DATA:
		snprintf(text, size, "%s from %s (%s), ttl %u", answer_name(reply->answer), from, mac,
		    reply->hop_limit);
		return;
	case ANSWER_BOUNCED:
		snprintf(text, size, "the question itself came back from %s", mac);
		return;
	case ANSWER_NOT_ASKED:
	case ANSWER_AWAITED:
	case ANSWER_SILENCE:
		break;
	}
	snprintf(text, size, "%s", answer_name(reply->answer));
}

static void
tell_replies(const struct patient *patient, const struct evidence *evidence)
{
	static const struct column columns[] = { { "question", NULL, false }, { "answer", NULL, false },
		{ "text", NULL, false } };
	struct writer *writer = patient->writer;
	char line[512], text[160];
	size_t used = 0;

	writer->ops->table(writer, "evidence", NULL, columns, ARRAY_LEN(columns));
	for (enum question question = 0; question < QUESTION_COUNT; question++) {
		const struct reply *reply = &evidence->replies[question];

		/* What was still awaited when the round was decided, nobody waited for. */
		if (reply->answer == ANSWER_NOT_ASKED || reply->answer == ANSWER_AWAITED)
			continue;
		reply_text(reply, text, sizeof(text));
		writer->ops->row(writer);
		writer->ops->cell(writer, question_name(question), MOOD_PLAIN);
		writer->ops->cell(writer, answer_name(reply->answer), MOOD_PLAIN);
		writer->ops->cell(writer, text, MOOD_PLAIN);
		if (used < sizeof(line))
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s: %s", used == 0 ? "" : "; ",
			    question_name(question), text);
	}
	writer->ops->table_end(writer);
	if (used > 0)
		writer->ops->fact(writer, "evidence_text", "evidence", line);
	writer->ops->flag(writer, "server_asked_for_us", evidence->asked_for_us);
	if (evidence->asked_for_us && !evidence->borrowed)
		writer->ops->fact(writer, "asked_for_us_text", "", "the server asked for the asker's MAC address: "
		    "it had an answer to send");
}

static void
tell_path(const struct patient *patient, const struct path *path)
{
	struct writer *writer = patient->writer;
	char port[PORT_TEXT], source[ADDR_TEXT];
	const bool good = path_verdict_class(path->verdict) == PATH_GOOD;

	report_port(&path->vip, path->protocol, path->port, port);
	writer->ops->item(writer, port, good ? MOOD_GOOD : MOOD_WARN);
	writer->ops->fact(writer, "path", NULL, port);
	writer->ops->fact(writer, "verdict", NULL, path_verdict_name(path->verdict));
	writer->ops->fact(writer, "meaning", "", path_verdict_sentence(path->verdict));
	if (path->settled && addr_is_set(&path->last.source))
		writer->ops->fact(writer, "asked_from", "asked from", addr_format(&path->last.source, source));
	if (path->settled)
		tell_replies(patient, &path->last);
	writer->ops->item_end(writer);
}

/* --- findings --- */

static void
tell_remedies(const struct patient *patient, enum diagnosis diagnosis, const struct diagnose_facts *facts)
{
	const unsigned systems = system_guess_evidence(facts->evidence);
	const unsigned family = facts->vip.family == ADDR_IPV6 ? REMEDY_IPV6 : REMEDY_IPV4;
	struct writer *writer = patient->writer;
	const struct remedy *remedy;

	writer->ops->list(writer, "remedies", NULL);
	for (size_t i = 0; (remedy = remedy_at(diagnosis, systems | family, i)) != NULL; i++) {
		char what[REMEDY_TEXT], text[REMEDY_TEXT], named[SYSTEM_TEXT], heading[SYSTEM_TEXT + 16];

		system_text(remedy->systems & systems, named);
		snprintf(heading, sizeof(heading), "mend it (%s):", named);
		writer->ops->item(writer, remedy->systems == SYSTEM_ANY ? "mend it:" : heading, MOOD_HEAD);
		writer->ops->fact(writer, "systems", NULL, named);
		if (remedy->what != NULL)
			writer->ops->fact(writer, "what", "", remedy_fill(remedy->what, facts, what));
		if (remedy->mend != NULL)
			writer->ops->block(writer, "mend", "", remedy_fill(remedy->mend, facts, text));
		if (remedy->undo != NULL)
			writer->ops->block(writer, "undo", "to take it back:", remedy_fill(remedy->undo, facts, text));
		writer->ops->item_end(writer);
	}
	writer->ops->list_end(writer);
}

static bool
is_of_port(enum diagnosis diagnosis)
{
	switch (diagnosis) {
	case DIAGNOSIS_BOUND_TO_OWN:
	case DIAGNOSIS_SERVICE_DOWN:
	case DIAGNOSIS_FIREWALL_REJECTS:
	case DIAGNOSIS_FIREWALL_DROPS:
	case DIAGNOSIS_WRONG_SOURCE:
		return true;
	default: /* what it is about is the VIP */
		return false;
	}
}

static void
tell_finding(struct patient *patient, enum diagnosis diagnosis, const struct diagnose_facts *facts)
{
	struct writer *writer = patient->writer;
	char where[PORT_TEXT], heading[PORT_TEXT + 160], foreign[MAC_TEXT];

	if (is_of_port(diagnosis))
		report_port(&facts->vip, facts->protocol, facts->port, where);
	else
		addr_format(&facts->vip, where);
	snprintf(heading, sizeof(heading), "WRONG  %s: %s  [%s]", where, diagnosis_sentence(diagnosis),
	    diagnosis_name(diagnosis));
	writer->ops->item(writer, heading, MOOD_BAD);
	writer->ops->fact(writer, "diagnosis", NULL, diagnosis_name(diagnosis));
	writer->ops->fact(writer, "about", NULL, where);
	writer->ops->fact(writer, "sentence", NULL, diagnosis_sentence(diagnosis));
	writer->ops->fact(writer, "meaning", "", diagnosis_meaning(diagnosis));
	if (diagnosis == DIAGNOSIS_FOREIGN_OWNER)
		writer->ops->fact(writer, "mac", "its MAC address", mac_format(&facts->foreign, foreign));
	tell_remedies(patient, diagnosis, facts);
	writer->ops->item_end(writer);
	patient->problems++;
}

/* What was watched over the last minute, of this server and by strangers. */
static void
add_watched(const struct patient *patient, const struct subject *subject, struct diagnose_facts *facts)
{
	const struct report_facts *known = patient->view->facts;
	const struct watch *watch = &known->forwarder->watch;

	for (size_t i = 0; i < watch->count; i++) {
		const struct finding *finding = &watch->findings[i];
		const bool is_server = mac_equal(&finding->mac, &subject->mac);

		if (finding->iface != subject->iface || !addr_equal(&finding->vip, &subject->vip) ||
		    watch_is_over(finding, known->now))
			continue;
		switch (finding->kind) {
		case WATCH_ANSWERS:
			break; /* asked for anew, see doctor/examine.h */
		case WATCH_ANNOUNCES:
		case WATCH_ASKS_AS:
			if (is_server)
				facts->announced = true;
			else if (report_server_of(known->model, finding->iface, &finding->mac) == NULL)
				facts->foreign = finding->mac;
			break;
		case WATCH_SENDS_BACK:
			facts->bounced |= is_server;
			break;
		case WATCH_KIND_COUNT:
			break;
		}
	}
}

/*
 * Does another server of the service, with another address, have the same MAC? In different services one machine may
 * well be known by different addresses, and in one by an IPv4 and an IPv6 address.
 */
static bool
shares_mac(const struct patient *patient, const struct subject *subject)
{
	const struct service *service = patient->server->service;

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *other = service->servers[i];

		if (other->iface == subject->iface && mac_equal(&other->mac, &subject->mac) &&
		    other->settings.addr.family == subject->own.family && !mac_is_zero(&subject->mac) &&
		    !addr_equal(&other->settings.addr, &subject->own))
			return true;
	}
	return false;
}

static struct diagnose_facts
gather(const struct patient *patient, const struct subject *subject)
{
	const struct report_facts *known = patient->view->facts;
	const struct iface *iface = known->ifaces[subject->iface].iface;
	const struct addr *director = iface_address(iface, (enum addr_family)subject->own.family);
	struct diagnose_facts facts = { .vip = subject->vip, .own = subject->own, .mac = subject->mac };

	if (director != NULL)
		facts.director = *director;
	facts.interface = iface->name;
	facts.director_mtu = iface->mtu;
	facts.nameless = subject->nameless && !mac_is_zero(&subject->mac);
	facts.twin = subject->twin;
	facts.shares_mac = shares_mac(patient, subject);
	facts.arp_broadcast = subject->arp_broadcast;
	facts.arp_unicast = subject->arp_unicast;
	facts.foreign = subject->foreign;
	facts.gateway = subject->gateway;
	facts.mask_answered = true;
	for (size_t i = 0; i < EXAMINE_UNUSED; i++)
		facts.mask_answered &= subject->unused_answered[i];
	facts.dns = patient->view->name(patient->view->context, patient->server) == NAME_IS_VIP;
	facts.checks_silent = patient->server->health.state == HEALTH_DOWN &&
	    patient->server->health.reason == HEALTH_REASON_TIMEOUT;
	facts.port = subject->port;
	facts.protocol = subject->port != 0 ? PROTOCOL_TCP : PROTOCOL_UDP;
	add_watched(patient, subject, &facts);
	return facts;
}

static void
tell_new(struct patient *patient, const struct diagnose_facts *facts)
{
	enum diagnosis found[DIAGNOSIS_COUNT];
	const size_t count = diagnose(facts, found);

	for (size_t i = 0; i < count; i++) {
		if (patient->told[found[i]] && !is_of_port(found[i]))
			continue;
		patient->told[found[i]] = true;
		tell_finding(patient, found[i], facts);
	}
}

static bool
is_path_of(const struct path *path, const struct subject *subject)
{
	return server_ref_equal(path->ref, subject->ref) && addr_equal(&path->vip, &subject->vip);
}

/* All findings about one VIP on the server. */
static void
tell_subject(struct patient *patient, const struct subject *subject)
{
	const struct path_table *paths = patient->view->facts->forwarder->paths;
	struct diagnose_facts facts = gather(patient, subject);
	bool any = false;

	memset(patient->told, 0, sizeof(patient->told));
	for (size_t i = 0; i < path_count(paths); i++) {
		const struct path *path = path_at(paths, i);

		if (!is_path_of(path, subject) || !path->settled)
			continue;
		facts.protocol = path->protocol;
		facts.port = path->port;
		facts.verdict = path->verdict;
		facts.evidence = &path->last;
		tell_new(patient, &facts);
		any = true;
	}
	if (!any)
		tell_new(patient, &facts);
}

static unsigned
systems_of(const struct patient *patient)
{
	const struct path_table *paths = patient->view->facts->forwarder->paths;
	unsigned systems = SYSTEM_ANY;

	for (size_t i = 0; i < path_count(paths); i++) {
		const struct path *path = path_at(paths, i);
		const unsigned guess = path->settled ? system_guess_evidence(&path->last) : SYSTEM_ANY;

		if (server_ref_equal(path->ref, patient->server->ref) && (systems & guess) != 0)
			systems &= guess;
	}
	return systems;
}

static const char *
name_answer_text(enum name_answer answer)
{
	switch (answer) {
	case NAME_NOT_ASKED:
		return "not asked: time was over";
	case NAME_UNKNOWN:
		return "its name is not in DNS";
	case NAME_ELSEWHERE:
		return "its name does not lead to a VIP";
	case NAME_IS_VIP:
		break;
	}
	return "its name leads to a VIP";
}

static void
tell_facts(const struct patient *patient)
{
	const struct server *server = patient->server;
	struct writer *writer = patient->writer;
	char name[SERVER_NAME_TEXT], addr[ADDR_TEXT], mac[MAC_TEXT], systems[SYSTEM_TEXT], text[REPORT_WHY_TEXT];
	const char *why;

	writer->ops->fact(writer, "server", NULL, server_name(server, name));
	writer->ops->fact(writer, "state", "state", server_state_name(server_state(server)));
	why = report_why(server, text);
	if (*why != '\0')
		writer->ops->fact(writer, "why", "why", why);
	writer->ops->fact(writer, "address", "address", addr_format(&server->settings.addr, addr));
	writer->ops->fact(writer, "mac", "MAC address",
	    mac_is_zero(&server->mac) ? NULL : mac_format(&server->mac, mac));
	writer->ops->fact(writer, "systems", "looks like", system_text(systems_of(patient), systems));
	writer->ops->fact(writer, "dns", "DNS",
	    name_answer_text(patient->view->name(patient->view->context, server)));
}

static size_t
tell_server(struct writer *writer, const struct doctor_view *view, const struct server *server)
{
	const struct path_table *paths = view->facts->forwarder->paths;
	struct patient patient = { .writer = writer, .view = view, .server = server };
	char name[SERVER_NAME_TEXT];

	writer->ops->item(writer, server_name(server, name), MOOD_HEAD);
	tell_facts(&patient);
	writer->ops->list(writer, "paths", NULL);
	for (size_t i = 0; i < path_count(paths); i++)
		if (server_ref_equal(path_at(paths, i)->ref, server->ref))
			tell_path(&patient, path_at(paths, i));
	writer->ops->list_end(writer);
	writer->ops->list(writer, "findings", NULL);
	for (size_t i = 0; i < view->examination->count; i++)
		if (server_ref_equal(view->examination->subjects[i].ref, server->ref))
			tell_subject(&patient, &view->examination->subjects[i]);
	writer->ops->list_end(writer);
	if (patient.problems == 0)
		writer->ops->fact(writer, "summary", "", "nothing wrong found");
	writer->ops->item_end(writer);
	return patient.problems;
}

static size_t
tell_host(struct writer *writer, const struct doctor_view *view)
{
	size_t problems = 0;

	writer->ops->list(writer, "director", NULL);
	for (size_t i = 0; i < view->host_count; i++) {
		const struct host_finding *finding = &view->host[i];
		char heading[HOST_TEXT + 64];

		snprintf(heading, sizeof(heading), "%s  director: %s  [%s]", finding->wrong ? "WRONG" : "note ",
		    finding->what, finding->name);
		writer->ops->item(writer, heading, finding->wrong ? MOOD_BAD : MOOD_WARN);
		writer->ops->flag(writer, "wrong", finding->wrong);
		writer->ops->fact(writer, "diagnosis", NULL, finding->name);
		writer->ops->fact(writer, "sentence", NULL, finding->what);
		writer->ops->fact(writer, "meaning", "", finding->meaning);
		if (finding->mend[0] != '\0')
			writer->ops->block(writer, "mend", "mend it:", finding->mend);
		if (finding->undo[0] != '\0')
			writer->ops->block(writer, "undo", "to take it back:", finding->undo);
		writer->ops->item_end(writer);
		problems += finding->wrong;
	}
	writer->ops->list_end(writer);
	return problems;
}

bool
doctor_report(struct writer *writer, const struct doctor_view *view)
{
	const struct model *model = view->facts->model;
	size_t problems, servers = 0;
	char summary[160];

	problems = tell_host(writer, view);
	writer->ops->list(writer, "servers", NULL);
	for (size_t i = 0; i < model->service_count; i++) {
		for (size_t j = 0; j < model->services[i]->server_count; j++) {
			const struct server *server = model->services[i]->servers[j];

			if (!doctor_concerns(view->service, view->server, server))
				continue;
			problems += tell_server(writer, view, server);
			servers++;
		}
	}
	writer->ops->list_end(writer);
	snprintf(summary, sizeof(summary), "%zu server%s examined, %zu problem%s%s", servers, servers == 1 ? "" : "s",
	    problems, problems == 1 ? "" : "s", view->unfinished ? "; time was over before all was asked anew" : "");
	writer->ops->gap(writer);
	writer->ops->number(writer, "problems", NULL, problems);
	writer->ops->flag(writer, "unfinished", view->unfinished);
	writer->ops->fact(writer, "summary", "summary", summary);
	return problems != 0;
}
