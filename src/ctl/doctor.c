/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/attr.h"
#include "doctor/check_evidence.h"
#include "doctor/diagnosis.h"

#define NAMES_TEXT 400
#define SERVICES_NAMED 10 /* of those without a server; the rest is counted */

/* One report while it is written. */
struct doctor {
	struct writer *writer;
	const struct doctor_view *view;
	const struct server **servers; /* all that it is about, those of one machine side by side */
	size_t count;
	struct machine *machine;       /* the one at hand */
	size_t problems;
	size_t notes;
	size_t machines;
	size_t unexamined;
};

/* --- findings --- */

static void
doctor_write_remedies(struct writer *writer, enum diagnosis diagnosis, const struct diagnose_facts *facts)
{
	const unsigned systems = system_guess_evidence(facts->evidence);
	const unsigned family = facts->vip.family == ADDR_IPV6 ? REMEDY_IPV6 : REMEDY_IPV4;
	const struct remedy *remedy;

	writer_list(writer, "remedies", NULL);
	for (size_t i = 0; (remedy = remedy_at(diagnosis, systems | family, i)) != NULL; i++) {
		char what[REMEDY_TEXT], text[REMEDY_TEXT], named[SYSTEM_TEXT], heading[SYSTEM_TEXT + 16];

		system_text(remedy->systems & systems, named);
		snprintf(heading, sizeof(heading), "fix (%s):", named);
		writer_item(writer, remedy->systems == SYSTEM_ANY ? "fix:" : heading, MOOD_HEAD);
		writer_fact(writer, "systems", NULL, named);
		if (remedy->what != NULL)
			writer_fact(writer, "what", "", remedy_fill(remedy->what, facts, what));
		if (remedy->fix != NULL)
			writer_block(writer, "fix", "", remedy_fill(remedy->fix, facts, text));
		if (remedy->undo != NULL)
			writer_block(writer, "undo", "to undo it:", remedy_fill(remedy->undo, facts, text));
		writer_item_end(writer);
	}
	writer_list_end(writer);
}

#define ROW_TEXT (CHECK_LABEL + 2 * CHECK_WORDS + 64)

static const char *
doctor_sentence(const struct machine_row *row, char text[ROW_TEXT])
{
	const struct service_settings *settings = &row->server->service->settings;
	char label[CHECK_LABEL], expected[CHECK_WORDS], got[CHECK_WORDS], lost[STATUS_TEXT];
	struct server_status status;

	switch ((int)row->diagnosis) {
	case DIAGNOSIS_CHECK_FAILED:
	case DIAGNOSIS_OWN_REFUSED:
		check_label(server_check_settings(row->server, row->check), &row->facts.own,
		    service_check_port(settings, server_check_settings(row->server, row->check)), label);
		snprintf(text, ROW_TEXT, "%s%sthe check `%s` got %s, expected %s",
		    row->diagnosis == DIAGNOSIS_OWN_REFUSED ? diagnosis_sentence(row->diagnosis) : "",
		    row->diagnosis == DIAGNOSIS_OWN_REFUSED ? ": " : "", label,
		    check_got(&row->server->checks[row->check], got),
		    check_expects(server_check_settings(row->server, row->check), expected));
		return text;
	case DIAGNOSIS_HANDSHAKES_LOST:
	case DIAGNOSIS_ANSWERS_LOST:
		server_lost_text(row->server, lost);
		snprintf(text, ROW_TEXT, "%s: %s", diagnosis_sentence(row->diagnosis), lost);
		return text;
	case DIAGNOSIS_SERVER_DOWN:
		snprintf(text, ROW_TEXT, "%s: %s", diagnosis_sentence(row->diagnosis),
		    report_why(row->server, &status));
		return text;
	default:
		return diagnosis_sentence(row->diagnosis);
	}
}

/* The remaining VIPs and ports; "and 92 more" where there is no room for all. */
static void
doctor_write_places(struct writer *writer, const struct machine_row *row)
{
	char text[ALSO_TEXT + 32];

	if (row->also[0] == '\0' && row->unnamed == 0)
		return;
	if (row->unnamed > 0)
		snprintf(text, sizeof(text), "%s and %zu more", row->also, row->unnamed);
	else
		snprintf(text, sizeof(text), "%s", row->also);
	writer_fact(writer, "also", "the same for", text);
}

static void
doctor_write_row(struct doctor *doctor, const struct machine_row *row)
{
	const bool is_check = row->diagnosis == DIAGNOSIS_CHECK_FAILED || row->diagnosis == DIAGNOSIS_OWN_REFUSED;
	struct writer *writer = doctor->writer;
	char sentence[ROW_TEXT], heading[ROW_TEXT + PORT_TEXT + 64], foreign[MAC_TEXT];
	const char *said = doctor_sentence(row, sentence);

	snprintf(heading, sizeof(heading), "%s  %s: %s  [%s]", row->note ? "note " : "WRONG", row->place, said,
	    diagnosis_name(row->diagnosis));
	writer_item(writer, heading, row->note ? MOOD_WARN : MOOD_BAD);
	writer_flag(writer, "wrong", !row->note);
	writer_fact(writer, "diagnosis", NULL, diagnosis_name(row->diagnosis));
	writer_fact(writer, "about", NULL, row->place);
	writer_fact(writer, "sentence", NULL, said);
	doctor_write_places(writer, row);
	writer_fact(writer, "meaning", "", diagnosis_meaning(row->diagnosis));
	if (is_check)
		doctor_write_check(writer, row);
	if (row->facts.evidence != NULL && !doctor->view->all && !is_check)
		doctor_write_evidence(writer, row->facts.evidence);
	if (row->diagnosis == DIAGNOSIS_FOREIGN_OWNER)
		writer_fact(writer, "mac", "its MAC address", mac_format(&row->facts.foreign, foreign));
	doctor_write_remedies(writer, row->diagnosis, &row->facts);
	writer_item_end(writer);
}

/* --- machines --- */

static const char *
doctor_name_answer(enum name_answer answer)
{
	switch (answer) {
	case NAME_NOT_LOOKED_UP:
		return "not probed: out of time";
	case NAME_UNKNOWN:
		break;
	case NAME_ELSEWHERE:
		return "its name does not lead to a VIP";
	case NAME_IS_VIP:
		return "its name leads to a VIP";
	}
	return NULL; /* most servers are called web1 in the configuration only */
}

/* "web/web1, shop/web1 and 98 more" */
static void
doctor_server_names(const struct machine *machine, char text[NAMES_TEXT])
{
	size_t used = 0, named = 0;

	for (; named < machine->count; named++) {
		char name[SERVER_NAME_TEXT];

		server_name(machine->servers[named], name);
		/* Room for the words that follow. */
		if (used + strlen(name) + 24 > NAMES_TEXT / 4 && named > 0)
			break;
		used += (size_t)snprintf(text + used, NAMES_TEXT - used, "%s%s", named == 0 ? "" : ", ", name);
	}
	if (named < machine->count)
		snprintf(text + used, NAMES_TEXT - used, " and %zu more", machine->count - named);
}

/* The worst of a machine's servers stands for it. */
static const struct server *
doctor_worst(const struct machine *machine)
{
	for (size_t i = 0; i < machine->count; i++)
		if (server_state(machine->servers[i]) == SERVER_DOWN)
			return machine->servers[i];
	return machine->servers[0];
}

static void
doctor_write_facts(const struct doctor *doctor)
{
	const struct machine *machine = doctor->machine;
	const struct server *worst = doctor_worst(machine);
	const unsigned systems = machine_systems(machine);
	struct writer *writer = doctor->writer;
	char name[SERVER_NAME_TEXT], addr[ADDR_TEXT], mac[MAC_TEXT], text[SYSTEM_TEXT];
	struct server_status status;
	const char *dns = doctor_name_answer(doctor->view->name(doctor->view->context, machine->servers[0]));

	writer_fact(writer, "server", NULL, server_name(machine->servers[0], name));
	writer_number(writer, "servers", NULL, machine->count);
	writer_fact(writer, "state", "state", server_state_name(server_state(worst)));
	if (*report_why(worst, &status) != '\0')
		writer_fact(writer, "why", "why", status.sentence);
	writer_fact(writer, "address", "address", addr_format(&worst->settings.addr, addr));
	writer_fact(writer, "mac", "MAC address", mac_is_zero(&worst->mac) ? NULL : mac_format(&worst->mac, mac));
	if (systems != SYSTEM_ANY)
		writer_fact(writer, "systems", "looks like", system_text(systems, text));
	if (dns != NULL)
		writer_fact(writer, "dns", "DNS", dns);
}

static void
doctor_write_paths(const struct doctor *doctor)
{
	const struct vipcheck_table *vipchecks = doctor->view->facts->forwarder->vipchecks;
	const struct machine *machine = doctor->machine;

	writer_list(doctor->writer, "vip_checks", NULL);
	for (size_t i = 0; i < vipcheck_count(vipchecks) && doctor->view->all; i++)
		for (size_t j = 0; j < machine->count; j++)
			if (server_ref_equal(vipcheck_at(vipchecks, i)->ref, machine->servers[j]->ref))
				doctor_write_vipcheck(doctor->writer, vipcheck_at(vipchecks, i));
	writer_list_end(doctor->writer);
}

static void
doctor_examine_machine(struct doctor *doctor, size_t first, size_t count)
{
	struct machine *machine = doctor->machine;
	struct writer *writer = doctor->writer;
	char names[NAMES_TEXT];
	size_t problems;

	machine_examine(machine, doctor->view, doctor->servers + first, count);
	problems = machine_problems(machine);
	doctor->problems += problems;
	doctor->notes += machine->row_count - problems;
	doctor->machines++;
	doctor->unexamined += machine->unexamined;
	if (problems == 0 && !doctor->view->all)
		return;
	doctor_server_names(machine, names);
	writer_item(writer, names, MOOD_HEAD);
	doctor_write_facts(doctor);
	doctor_write_paths(doctor);
	writer_list(writer, "findings", NULL);
	for (size_t i = 0; i < machine->row_count; i++)
		if (!machine->rows[i].note || doctor->view->all)
			doctor_write_row(doctor, &machine->rows[i]);
	writer_list_end(writer);
	if (machine->unexamined)
		writer_fact(writer, "summary", "", "not examined: the director's interface has no link");
	else if (problems == 0)
		writer_fact(writer, "summary", "", "nothing wrong found");
	writer_item_end(writer);
}

/* --- the director and its services --- */

static void
doctor_write_host(struct doctor *doctor)
{
	struct writer *writer = doctor->writer;

	writer_list(writer, "director", NULL);
	for (size_t i = 0; i < doctor->view->host_count; i++) {
		const struct problem *finding = &doctor->view->host[i];
		const bool wrong = diagnosis_severity(finding->id) != SEVERITY_NOTE;
		char heading[PROBLEM_TEXT + 64];

		doctor->problems += wrong;
		doctor->notes += !wrong;
		if (!wrong && !doctor->view->all)
			continue;
		snprintf(heading, sizeof(heading), "%s  director: %s  [%s]", wrong ? "WRONG" : "note ", finding->what,
		    diagnosis_name(finding->id));
		writer_item(writer, heading, wrong ? MOOD_BAD : MOOD_WARN);
		writer_flag(writer, "wrong", wrong);
		writer_fact(writer, "diagnosis", NULL, diagnosis_name(finding->id));
		writer_fact(writer, "sentence", NULL, finding->what);
		writer_fact(writer, "meaning", "", finding->meaning);
		if (finding->fix[0] != '\0')
			writer_block(writer, "fix", "fix:", finding->fix);
		if (finding->undo[0] != '\0')
			writer_block(writer, "undo", "to undo it:", finding->undo);
		writer_item_end(writer);
	}
	writer_list_end(writer);
}

/* One entry for all of them, or a site that is down would fill the screen. */
static void
doctor_write_down(struct doctor *doctor, const char *named, size_t count)
{
	struct writer *writer = doctor->writer;
	char heading[SERVICES_NAMED * (NAME_MOST + 2) + 96];

	if (count > SERVICES_NAMED)
		snprintf(heading, sizeof(heading), "WRONG  %zu services have no server for new connections: %s and %zu "
		    "more"
		    "  [no-server]", count, named, count - SERVICES_NAMED);
	else
		snprintf(heading, sizeof(heading), "WRONG  %s: no server for new connections  [no-server]", named);
	writer_item(writer, heading, MOOD_BAD);
	writer_fact(writer, "services_down_named", NULL, named);
	writer_fact(writer, "no_server_meaning", "",
	    "Clients of the service get no answer. The servers' own problems are below; "
	    "those that an operator disabled or drained are listed by `dsrctl show`.");
	writer_item_end(writer);
}

/* Services without a usable server. */
static void
doctor_write_services(struct doctor *doctor)
{
	const struct model *model = doctor->view->facts->model;
	struct writer *writer = doctor->writer;
	char named[SERVICES_NAMED * (NAME_MOST + 2)] = "";
	size_t count = 0, used = 0;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		if (!selection_has_service(doctor->view->selection, service) || report_serves(service))
			continue;
		if (count++ < SERVICES_NAMED)
			used += (size_t)snprintf(named + used, sizeof(named) - used, "%s%s", used == 0 ? "" : ", ",
			    service->settings.name);
	}
	writer_number(writer, "services_down", NULL, count);
	writer_list(writer, "no_server", NULL);
	if (count > 0)
		doctor_write_down(doctor, named, count);
	writer_list_end(writer);
	doctor->problems += count;
}

/* Services of which no client completes a handshake: the numbers of all servers, and one set of remedies. */
static void
doctor_write_lost(struct doctor *doctor)
{
	const struct model *model = doctor->view->facts->model;
	struct diagnose_facts facts = { 0 };
	char named[SERVICES_NAMED * (NAME_MOST + 2)] = "", sentence[sizeof(named) + 200],
	    heading[sizeof(sentence) + 64];
	size_t count = 0, used = 0, with_clients = 0;
	uint64_t failed = 0;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];
		const struct server *server = service->server_count > 0 ? service->servers[0] : NULL;

		for (size_t j = 0; j < service->server_count; j++)
			with_clients += lost_recent(&service->servers[j]->run->measure.lost).completed;
		if (!service_all_lost(service) || !selection_has_service(doctor->view->selection, service))
			continue;
		failed += server->lost.own.failed + server->lost.peers.failed;
		facts.vip = service->settings.listens[0].vip;
		facts.client = server->lost.client;
		if (count++ < SERVICES_NAMED)
			used += (size_t)snprintf(named + used, sizeof(named) - used, "%s%s", used == 0 ? "" : ", ",
			    service->settings.name);
	}
	if (count == 0)
		return;
	doctor->problems++;
	snprintf(sentence, sizeof(sentence), "%s%s: %s: 0 of %" PRIu64 " in the last minute%s", named,
	    count > SERVICES_NAMED ? ", ..." : "", diagnosis_sentence(DIAGNOSIS_ALL_LOST), failed,
	    with_clients == 0 ? ", of no service: suspect the director's own switch port" : "");
	snprintf(heading, sizeof(heading), "WRONG  %s  [%s]", sentence, diagnosis_name(DIAGNOSIS_ALL_LOST));
	writer_item(doctor->writer, heading, MOOD_BAD);
	writer_flag(doctor->writer, "wrong", true);
	writer_fact(doctor->writer, "diagnosis", NULL, diagnosis_name(DIAGNOSIS_ALL_LOST));
	writer_fact(doctor->writer, "sentence", NULL, sentence);
	writer_fact(doctor->writer, "meaning", "", diagnosis_meaning(DIAGNOSIS_ALL_LOST));
	doctor_write_remedies(doctor->writer, DIAGNOSIS_ALL_LOST, &facts);
	writer_item_end(doctor->writer);
}

/* --- all of it --- */

static int
doctor_compare(const void *left, const void *right)
{
	const struct server *a = *(const struct server *const *)left, *b = *(const struct server *const *)right;
	const int order = memcmp(&a->settings.addr, &b->settings.addr, sizeof(a->settings.addr));

	if (order != 0)
		return order;
	if (a->iface != b->iface)
		return compare_numbers(a->iface, b->iface);
	return compare_numbers(a->ref.slot, b->ref.slot);
}

static bool
doctor_same_machine(const struct server *a, const struct server *b)
{
	return a->iface == b->iface && addr_equal(&a->settings.addr, &b->settings.addr);
}

static int
doctor_collect(struct doctor *doctor)
{
	const struct model *model = doctor->view->facts->model;

	doctor->servers = calloc(model_server_count(model) + 1, sizeof(*doctor->servers));
	doctor->machine = calloc(1, sizeof(*doctor->machine));
	if (doctor->servers == NULL || doctor->machine == NULL)
		return -1;
	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			if (selection_has(doctor->view->selection, model->services[i]->servers[j]))
				doctor->servers[doctor->count++] = model->services[i]->servers[j];
	qsort(doctor->servers, doctor->count, sizeof(*doctor->servers), doctor_compare);
	return 0;
}

static void
doctor_write_summary(const struct doctor *doctor)
{
	struct writer *writer = doctor->writer;
	char summary[200];
	size_t used;

	used = (size_t)snprintf(summary, sizeof(summary), "%zu server%s examined, %zu problem%s", doctor->count,
	    doctor->count == 1 ? "" : "s", doctor->problems, doctor->problems == 1 ? "" : "s");
	if (doctor->notes > 0 && !doctor->view->all)
		used += (size_t)snprintf(summary + used, sizeof(summary) - used, "; %zu note%s: dsrctl doctor --all",
		    doctor->notes, doctor->notes == 1 ? "" : "s");
	if (doctor->unexamined > 0)
		used += (size_t)snprintf(summary + used, sizeof(summary) - used,
		    "; %zu not examined: the director's interface has no link", doctor->unexamined);
	if (doctor->view->unfinished)
		snprintf(summary + used, sizeof(summary) - used, "; incomplete: out of time");
	writer_gap(writer);
	writer_number(writer, "notes", NULL, doctor->notes);
	writer_number(writer, "problems", NULL, doctor->problems);
	writer_flag(writer, "unfinished", doctor->view->unfinished);
	writer_fact(writer, "summary", "summary", summary);
}

int
doctor_report(struct writer *writer, const struct doctor_view *view, size_t *problems)
{
	struct doctor doctor = { .writer = writer, .view = view };

	if (doctor_collect(&doctor) == -1) {
		free(doctor.servers);
		free(doctor.machine);
		return -1;
	}
	doctor_write_host(&doctor);
	doctor_write_services(&doctor);
	writer_list(writer, "clients", NULL);
	doctor_write_lost(&doctor);
	writer_list_end(writer);
	writer_list(writer, "servers", NULL);
	for (size_t i = 0, count; i < doctor.count; i += count) {
		for (count = 1; i + count < doctor.count; count++)
			if (!doctor_same_machine(doctor.servers[i], doctor.servers[i + count]))
				break;
		doctor_examine_machine(&doctor, i, count);
	}
	writer_list_end(writer);
	doctor_write_summary(&doctor);
	*problems = doctor.problems;
	free(doctor.servers);
	free(doctor.machine);
	return 0;
}
