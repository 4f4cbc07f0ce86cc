/* SPDX-License-Identifier: ISC */
/* The status for the page and for /healthz: what needs attention comes first. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"
#include "ctl/report.h"
#include "doctor/diagnosis.h"

#define SUBJECT_TEXT (SERVER_NAME_TEXT + ADDR_TEXT)
#define WHAT_TEXT 256
#define COMMAND_LINE (SERVER_NAME_TEXT + 32)

struct advice {
	struct writer *writer;
	const struct report_facts *facts;
};

bool
report_serves(const struct service *service)
{
	const bool backups_only = service_is_below_quorum(service);

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *server = service->servers[i];

		if (server_state(server) == SERVER_UP && !mac_is_zero(&server->mac) &&
		    (!backups_only || server->settings.backup))
			return true;
	}
	return false;
}

/* Why nothing is served: the quorum, or what is wrong with its first server. Returns `status`'s sentence. */
static const char *
service_why(const struct service *service, struct service_status *status)
{
	struct server_status server;

	service_status(service, status);
	if (status->quorum_lost)
		return status->sentence;
	for (size_t i = 0; i < service->server_count; i++) {
		if (*report_why(service->servers[i], &server) == '\0')
			continue;
		(void)snprintf(status->sentence, sizeof(status->sentence), "%s: %.400s",
		    service->servers[i]->settings.name,
		    server.sentence);
		return status->sentence;
	}
	return "no server is enabled";
}

/* Frames go on to the servers that were up: no reason to take the VIPs away. */
static void
report_checker_alive(FILE *out, const struct problems *problems)
{
	for (size_t i = 0; i < problems_count(problems); i++)
		if (problems_at(problems, i)->id == DIAGNOSIS_CHECKER_LOST)
			fprintf(out, "%s: servers keep the state of their last check\n", problems_at(problems, i)->what);
}

bool
report_alive(FILE *out, const struct report_facts *facts)
{
	bool alive = true;

	for (size_t i = 0; i < facts->model->service_count; i++) {
		const struct service *service = facts->model->services[i];
		const struct problem *problem = problems_of_service(facts->problems, service);
		struct service_status status;

		if (problem != NULL)
			fprintf(out, "service %s does not reach its clients: %s%s%s\n", service->settings.name,
			    problem->what,
			    problem->fix[0] != '\0' ? ": " : "", problem->fix);
		alive = alive && problem == NULL;
		if (report_serves(service))
			continue;
		alive = false;
		fprintf(out, "service %s has no server for new connections: %s\n", service->settings.name,
		    service_why(service, &status));
	}
	if (alive)
		fputs("ok\n", out);
	report_checker_alive(out, facts->problems);
	report_roles_alive(out, facts);
	return alive;
}

static void
report_status_note(const struct advice *advice, enum mood mood, const char *subject, const char *what, const char *fix)
{
	writer_row(advice->writer);
	writer_cell_mood(advice->writer, mood == MOOD_BAD ? "bad" : "warning", mood);
	writer_cell(advice->writer, subject);
	writer_cell(advice->writer, what);
	writer_cell(advice->writer, fix);
}

static void
advise_server(const struct advice *advice, const struct server *server)
{
	char name[SERVER_NAME_TEXT], command[COMMAND_LINE];
	struct server_status status;

	server_status(server, &status);
	if (status.state != SERVER_DOWN && !(status.state == SERVER_UP && (mac_is_zero(&server->mac) ||
	    !mac_is_zero(&server->mac_rival) || server->ports == PORTS_PARTLY || server->lost.verdict != LOST_NONE)))
		return;
	server_name(server, name);
	snprintf(command, sizeof(command), "dsrctl doctor %s", name);
	report_status_note(advice, MOOD_WARN, name, status.sentence, command);
}

static void
advise_services(const struct advice *advice)
{
	for (size_t i = 0; i < advice->facts->model->service_count; i++) {
		const struct service *service = advice->facts->model->services[i];
		const bool serves = report_serves(service);
		char what[STATUS_TEXT + 64], command[COMMAND_LINE];
		struct service_status status;

		if (!serves && service_state(service) != HEALTH_UNKNOWN) {
			snprintf(what, sizeof(what), "no server takes new connections, clients get no answer: %s",
			    service_why(service, &status));
			snprintf(command, sizeof(command), "dsrctl doctor %s", service->settings.name);
			report_status_note(advice, MOOD_BAD, service->settings.name, what, command);
		}
		if (serves && service_all_lost(service)) {
			snprintf(command, sizeof(command), "dsrctl doctor %s", service->settings.name);
			report_status_note(advice, MOOD_BAD, service->settings.name,
			    "no client has completed a handshake in the last minute: the servers' answers get lost, or "
			    "what the "
			    "director forwards does", command);
			continue;
		}
		/* If no server is left, the doctor should examine all of them. */
		for (size_t j = 0; j < service->server_count && serves; j++)
			advise_server(advice, service->servers[j]);
	}
}

static void
advise_conflicts(const struct advice *advice)
{
	const struct conflict_table *conflicts = &advice->facts->forwarder->conflicts;

	for (size_t i = 0; i < conflicts->count; i++) {
		const struct conflict *conflict = &conflicts->list[i];
		const struct server *server = model_server_by_mac(advice->facts->model, conflict->iface,
		    &conflict->mac);
		const struct diagnose_facts facts = { .vip = conflict->vip, .mac = conflict->mac,
		    .foreign = conflict->mac,
			.interface = conflict->iface < advice->facts->iface_count ?
			    advice->facts->ifaces[conflict->iface].iface->name : NULL };
		char subject[SUBJECT_TEXT], name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT], fix[REMEDY_LINE];

		if (conflict_has_ended(conflict, advice->facts->now))
			continue;
		snprintf(subject, sizeof(subject), "%s %s",
		    server != NULL ? server_name(server, name) : mac_format(&conflict->mac, mac),
		    addr_format(&conflict->vip, vip));
		report_status_note(advice, MOOD_BAD, subject, conflict_kind_sentence(conflict->kind),
		    remedy_line(diagnose_conflict(conflict->kind, server != NULL), &facts, fix));
	}
}

static void
advise_director(const struct advice *advice)
{
	const struct report_facts *facts = advice->facts;

	for (size_t i = 0; i < problems_count(facts->problems); i++) {
		const struct problem *problem = problems_at(facts->problems, i);

		report_status_note(advice, diagnosis_severity(problem->id) == SEVERITY_ERROR ? MOOD_BAD : MOOD_WARN,
		    problem->subject,
		    problem->what, problem->fix[0] != '\0' ? problem->fix : problem->meaning);
	}
	if (facts->observe)
		report_status_note(advice, MOOD_WARN, "director", "it only looks on, and sends nothing",
		    "start dsrd without --observe");
}

void
report_status(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "severity", "SEVERITY", false }, { "about", "ABOUT", false },
		{ "what", "WHAT IS WRONG", false }, { "fix", "WHAT TO DO", false } };
	const struct advice advice = { writer, facts };
	struct report_facts whole = *facts;

	/* The page collapses lists itself. */
	whole.all = true;
	report_show(writer, &whole);
	writer_fact(writer, "host", NULL, facts->host);
	writer_flag(writer, "reload_failed", facts->reload_failed);
	writer_table(writer, "advice", "Needs attention:", columns, ARRAY_LEN(columns));
	advise_director(&advice);
	advise_services(&advice);
	advise_conflicts(&advice);
	writer_table_end(writer);
}

/* The director's own problems, as people and programs read them. */
void
report_problems(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "id", NULL, false }, { "severity", "PROBLEM", false },
		{ "subject", "ABOUT", false }, { "since", "SINCE", true }, { "since_seconds", NULL, true },
		{ "what", "WHAT IS WRONG", false }, { "meaning", NULL, false }, { "fix", "FIX", false },
		{ "undo", NULL, false } };

	writer_table(writer, "problems", "Problems of this director:", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < problems_count(facts->problems); i++) {
		const struct problem *problem = problems_at(facts->problems, i);
		const enum severity severity = diagnosis_severity(problem->id);
		const uint64_t age = facts->now > problem->since ? (facts->now - problem->since) / SECONDS(1) : 0;
		char since[DURATION_TEXT];

		writer_row(writer);
		writer_cell(writer, diagnosis_name(problem->id));
		writer_cell_mood(writer, severity_name(severity), severity == SEVERITY_ERROR ? MOOD_BAD :
		    MOOD_WARN);
		writer_cell(writer, problem->subject);
		writer_cell(writer, text_format_duration(SECONDS(age), since));
		writer_cell_number(writer, age);
		writer_cell(writer, problem->what);
		writer_cell(writer, problem->meaning);
		writer_cell(writer, problem->fix[0] != '\0' ? problem->fix : NULL);
		writer_cell(writer, problem->undo[0] != '\0' ? problem->undo : NULL);
	}
	writer_table_end(writer);
}

static const char *const confined_names[] = { [REPORT_CONFINED_NO] = "no", [REPORT_CONFINED_LOG] = "log",
	[REPORT_CONFINED_YES] = "yes" };

/* For people: what confines it, or "no" and why. */
static void
confined_cells(struct writer *writer, enum report_confined confined, const char *by)
{
	static const enum mood moods[] = { [REPORT_CONFINED_NO] = MOOD_WARN, [REPORT_CONFINED_LOG] = MOOD_WARN,
		[REPORT_CONFINED_YES] = MOOD_GOOD };
	char text[REPORT_PROCESS_TEXT + 8];

	if (confined == REPORT_CONFINED_YES)
		(void)snprintf(text, sizeof(text), "%s", by);
	else
		(void)snprintf(text, sizeof(text), "%s (%s)", confined_names[confined], by);
	writer_cell_mood(writer, text, moods[confined]);
	writer_cell(writer, confined_names[confined]);
	writer_cell(writer, by);
}

static void
process_row(struct writer *writer, const struct report_process *process)
{
	writer_row(writer);
	writer_cell(writer, process->name);
	writer_cell_number(writer, (uint64_t)process->pid);
	writer_cell(writer, process->user[0] != '\0' ? process->user : NULL);
	writer_cell(writer, process->capabilities[0] != '\0' ? process->capabilities : NULL);
	writer_cell_flag(writer, process->no_new_privs);
	confined_cells(writer, process->calls, process->calls_by);
	confined_cells(writer, process->files, process->files_by);
	writer_cell(writer, process->task);
}

void
report_processes(struct writer *writer, const struct report_process *processes, size_t count)
{
	static const struct column columns[] = { { "name", "PROCESS", false }, { "pid", "PID", true },
	    { "user", "USER", false },
		{ "capabilities", "CAPABILITIES", false }, { "no_new_privs", "NO-NEW-PRIVS", false },
		{ "calls_text", "SYSTEM CALLS", false }, { "calls", NULL, false }, { "calls_by", NULL, false },
		{ "files_text", "FILES", false }, { "files", NULL, false }, { "files_by", NULL, false },
		    { "task", "TASK", false } };

	writer_table(writer, "processes", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < count; i++)
		process_row(writer, &processes[i]);
	writer_table_end(writer);
}
