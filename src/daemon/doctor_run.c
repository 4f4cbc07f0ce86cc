/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/doctor_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "ctl/doctor.h"
#include "ctl/names.h"
#include "daemon/burst.h"
#include "daemon/director.h"
#include "daemon/host_check.h"
#include "daemon/interfaces.h"
#include "daemon/stats.h"
#include "doctor/examine.h"
#include "os/os.h"

#define SECOND_ROUND MILLISECONDS(400) /* after the first: answers on one network come within a few */
#define LAST_ANSWERS MILLISECONDS(900)
#define PATIENCE SECONDS(12)           /* for the VIP probe and DNS; less than CONTROL_WORK */
#define FINDINGS_MOST 32

struct doctor_run {
	struct doctor_run_parts parts;
	struct selection selection;
	bool all;
	uint64_t began;
	bool listens;
	struct examination examination;
	struct names *names;
	enum name_answer *answers; /* by slot, as many as there were at the beginning */
	size_t answer_count;
	size_t names_open;
	struct server_ref *refs;   /* the servers that an answer is about */
};

static void
doctor_run_on_name(void *context, size_t slot, const struct addr *addrs, size_t count)
{
	struct doctor_run *doctor_run = context;
	const struct server *server = model_server(doctor_run->parts.sources->director->model, doctor_run->refs[slot]);

	doctor_run->names_open--;
	doctor_run->answers[slot] = count == 0 ? NAME_UNKNOWN : NAME_ELSEWHERE;
	if (server == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < server->service->settings.listen_count; j++)
			if (addr_equal(&addrs[i], &server->service->settings.listens[j].vip))
				doctor_run->answers[slot] = NAME_IS_VIP;
}

static void
doctor_run_resolve(struct doctor_run *doctor_run, const struct server *server)
{
	const size_t slot = server->ref.slot;

	doctor_run->refs[slot] = server->ref;
	if (doctor_run->names == NULL)
		return;
	doctor_run->names_open++;
	if (!names_ask(doctor_run->names, slot, server->settings.name))
		doctor_run->names_open--;
}

static void
doctor_run_begin(struct doctor_run *doctor_run)
{
	struct director *director = doctor_run->parts.sources->director;

	for (size_t i = 0; i < director->model->slot_count; i++) {
		const struct server *server = director->model->slots[i];

		if (server == NULL || !selection_has(&doctor_run->selection, server))
			continue;
		if (server->settings.method != ENCAP_LOCAL)
			(void)examine_add(&doctor_run->examination, server, director->ifaces, director->iface_count);
		doctor_run_resolve(doctor_run, server);
	}
	if (!director->vipchecking.probes)
		return;
	interfaces_listen(doctor_run->parts.interfaces);
	doctor_run->listens = true;
	vipcheck_hasten(director->forwarder.vipchecks, doctor_run->began);
	examine_ask(&doctor_run->examination, director->forwarder.craft, director->ifaces, &director->forwarder.tx);
	burst_flush(doctor_run->parts.burst);
}

struct doctor_run *
doctor_run_open(const struct doctor_run_parts *parts, const struct selection *selection, bool all)
{
	struct doctor_run *doctor_run = calloc(1, sizeof(*doctor_run));
	const size_t slots = parts->sources->director->model->slot_count;

	if (doctor_run == NULL)
		return NULL;
	doctor_run->parts = *parts;
	doctor_run->all = all;
	doctor_run->began = clock_us();
	doctor_run->examination.random = doctor_run->began;
	doctor_run->selection = *selection;
	doctor_run->answers = calloc(slots + 1, sizeof(*doctor_run->answers));
	doctor_run->refs = calloc(slots + 1, sizeof(*doctor_run->refs));
	if (doctor_run->answers == NULL || doctor_run->refs == NULL) {
		doctor_run_close(doctor_run);
		return NULL;
	}
	doctor_run->answer_count = slots;
	doctor_run->names = names_new(parts->base, doctor_run_on_name, doctor_run);
	doctor_run_begin(doctor_run);
	return doctor_run;
}

void
doctor_run_hear(struct doctor_run *doctor_run, const struct frame *frame)
{
	const struct director *director = doctor_run->parts.sources->director;

	examine_hear(&doctor_run->examination, frame, director->model, director->ifaces, director->iface_count);
}

/* Has every VIP check that concerns us been repeated? */
static bool
doctor_run_vipchecks_are_fresh(const struct doctor_run *doctor_run)
{
	const struct vipcheck_table *vipchecks = doctor_run->parts.sources->director->forwarder.vipchecks;

	for (size_t i = 0; i < vipcheck_count(vipchecks); i++) {
		const struct vipcheck *check = vipcheck_at(vipchecks, i);

		if (!selection_has(&doctor_run->selection, check->server) || mac_is_zero(&check->server->mac))
			continue;
		if (!check->settled || check->last.ended < doctor_run->began)
			return false;
	}
	return true;
}

bool
doctor_run_step(struct doctor_run *doctor_run)
{
	struct director *director = doctor_run->parts.sources->director;
	const uint64_t now = clock_us(), passed = now - doctor_run->began;

	if (director->vipchecking.probes && doctor_run->examination.round == 1 && passed >= SECOND_ROUND) {
		examine_ask(&doctor_run->examination, director->forwarder.craft, director->ifaces,
		    &director->forwarder.tx);
		burst_flush(doctor_run->parts.burst);
	}
	if (passed >= PATIENCE)
		return true;
	return passed >= LAST_ANSWERS && doctor_run->names_open == 0 && doctor_run_vipchecks_are_fresh(doctor_run);
}

static enum name_answer
doctor_run_name_answer(void *context, const struct server *server)
{
	const struct doctor_run *doctor_run = context;

	if (server->ref.slot >= doctor_run->answer_count || !server_ref_equal(doctor_run->refs[server->ref.slot],
	    server->ref))
		return NAME_NOT_LOOKED_UP;
	return doctor_run->answers[server->ref.slot];
}

static bool
doctor_run_host_forwards(void *context, uint16_t iface, enum addr_family family)
{
	const struct doctor_run *doctor_run = context;
	const struct director *director = doctor_run->parts.sources->director;
	char fix[PROBLEM_TEXT];

	return os_forwards(&director->routing, director->ifaces[iface].name, family, fix, sizeof(fix)) == OS_YES;
}

int
doctor_run_report(struct doctor_run *doctor_run, struct writer *writer, const struct report_facts *facts, bool *well)
{
	struct problem *findings = calloc(FINDINGS_MOST, sizeof(*findings));
	struct doctor_view view = { .facts = facts, .examination = &doctor_run->examination,
		.selection = &doctor_run->selection, .all = doctor_run->all, .host = findings,
		.name = doctor_run_name_answer, .forwards = doctor_run_host_forwards, .context = doctor_run };
	size_t problems = 0;
	int result;

	if (findings == NULL)
		return -1;
	view.host_count = host_check(doctor_run->parts.sources, findings, FINDINGS_MOST);
	view.unfinished = !doctor_run_vipchecks_are_fresh(doctor_run);
	result = doctor_report(writer, &view, &problems);
	*well = problems == 0;
	free(findings);
	return result;
}

void
doctor_run_close(struct doctor_run *doctor_run)
{
	struct director *director;

	if (doctor_run == NULL)
		return;
	director = doctor_run->parts.sources->director;
	names_free(doctor_run->names);
	if (director->vipchecking.probes && doctor_run->examination.round > 0) {
		examine_end(&doctor_run->examination, director->forwarder.craft, director->ifaces,
		    &director->forwarder.tx);
		burst_flush(doctor_run->parts.burst);
	}
	if (doctor_run->listens)
		interfaces_unlisten(doctor_run->parts.interfaces);
	free(doctor_run->answers);
	free(doctor_run->refs);
	free(doctor_run);
}
