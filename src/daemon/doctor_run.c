/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/doctor_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "ctl/doctor.h"
#include "ctl/names.h"
#include "daemon/dsrd.h"
#include "daemon/host_check.h"
#include "daemon/interfaces.h"
#include "daemon/loop.h"
#include "doctor/examine.h"
#include "os/os.h"

#define SECOND_ROUND MILLISECONDS(400) /* after the first: answers on one network come within a few */
#define LAST_ANSWERS MILLISECONDS(900)
#define PATIENCE SECONDS(12)           /* for the VIP probe and DNS; less than CONTROL_WORK */
#define FINDINGS_MOST 32

struct clinic {
	struct dsrd *dsrd;
	char service[NAME_MOST];
	char server[NAME_MOST];
	bool all;
	uint64_t began;
	bool listens;
	struct examination examination;
	struct names *names;
	enum name_answer *answers; /* by slot, as many as there were at the beginning */
	size_t answer_count;
	size_t names_open;
	struct server_ref *refs;   /* whom an answer is about */
};

static void
on_name(void *context, size_t slot, const struct addr *addrs, size_t count)
{
	struct clinic *clinic = context;
	const struct server *server = model_server(clinic->dsrd->director.model, clinic->refs[slot]);

	clinic->names_open--;
	clinic->answers[slot] = count == 0 ? NAME_UNKNOWN : NAME_ELSEWHERE;
	if (server == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < server->service->settings.listen_count; j++)
			if (addr_equal(&addrs[i], &server->service->settings.listens[j].vip))
				clinic->answers[slot] = NAME_IS_VIP;
}

static void
ask_name(struct clinic *clinic, const struct server *server)
{
	const size_t slot = server->ref.slot;

	clinic->refs[slot] = server->ref;
	if (clinic->names == NULL)
		return;
	clinic->names_open++;
	if (!names_ask(clinic->names, slot, server->settings.name))
		clinic->names_open--;
}

static void
begin(struct clinic *clinic)
{
	struct dsrd *dsrd = clinic->dsrd;
	struct director *director = &dsrd->director;

	for (size_t i = 0; i < director->model->slot_count; i++) {
		const struct server *server = director->model->slots[i];

		if (server == NULL || !doctor_concerns(clinic->service, clinic->server, server))
			continue;
		(void)examine_add(&clinic->examination, server, director->ifaces, director->iface_count);
		ask_name(clinic, server);
	}
	if (!director->probes)
		return;
	interfaces_listen(dsrd);
	clinic->listens = true;
	path_hasten(director->forwarder.paths, clinic->began);
	examine_ask(&clinic->examination, director->forwarder.craft, director->ifaces, &director->forwarder.emitter);
	dsrd_flush(dsrd);
}

struct clinic *
clinic_open(struct dsrd *dsrd, const char *service, const char *server, bool all)
{
	struct clinic *clinic = calloc(1, sizeof(*clinic));
	const size_t slots = dsrd->director.model->slot_count;

	if (clinic == NULL)
		return NULL;
	clinic->dsrd = dsrd;
	clinic->all = all;
	clinic->began = dsrd_clock();
	clinic->examination.random = clinic->began;
	snprintf(clinic->service, sizeof(clinic->service), "%s", service);
	snprintf(clinic->server, sizeof(clinic->server), "%s", server);
	clinic->answers = calloc(slots + 1, sizeof(*clinic->answers));
	clinic->refs = calloc(slots + 1, sizeof(*clinic->refs));
	if (clinic->answers == NULL || clinic->refs == NULL) {
		clinic_close(clinic);
		return NULL;
	}
	clinic->answer_count = slots;
	clinic->names = names_new(loop_base(dsrd->loop), on_name, clinic);
	begin(clinic);
	return clinic;
}

void
clinic_hear(struct clinic *clinic, const struct frame *frame)
{
	const struct director *director = &clinic->dsrd->director;

	examine_hear(&clinic->examination, frame, director->model, director->ifaces, director->iface_count);
}

/* Has every path that concerns us been asked anew? */
static bool
paths_are_fresh(const struct clinic *clinic)
{
	const struct path_table *paths = clinic->dsrd->director.forwarder.paths;

	for (size_t i = 0; i < path_count(paths); i++) {
		const struct path *path = path_at(paths, i);

		if (!doctor_concerns(clinic->service, clinic->server, path->server) || mac_is_zero(&path->server->mac))
			continue;
		if (!path->settled || path->last.ended < clinic->began)
			return false;
	}
	return true;
}

bool
clinic_step(struct clinic *clinic)
{
	struct director *director = &clinic->dsrd->director;
	const uint64_t now = dsrd_clock(), passed = now - clinic->began;

	if (director->probes && clinic->examination.round == 1 && passed >= SECOND_ROUND) {
		examine_ask(&clinic->examination, director->forwarder.craft, director->ifaces,
		    &director->forwarder.emitter);
		dsrd_flush(clinic->dsrd);
	}
	if (passed >= PATIENCE)
		return true;
	return passed >= LAST_ANSWERS && clinic->names_open == 0 && paths_are_fresh(clinic);
}

static enum name_answer
answer_of(void *context, const struct server *server)
{
	const struct clinic *clinic = context;

	if (server->ref.slot >= clinic->answer_count || !server_ref_equal(clinic->refs[server->ref.slot], server->ref))
		return NAME_NOT_ASKED;
	return clinic->answers[server->ref.slot];
}

static bool
host_forwards(void *context, uint16_t iface, enum addr_family family)
{
	const struct clinic *clinic = context;
	char fix[HOST_TEXT];

	return os_forwards(clinic->dsrd->director.ifaces[iface].name, family, fix, sizeof(fix));
}

int
clinic_report(struct clinic *clinic, struct writer *writer, const struct report_facts *facts, bool *well)
{
	struct host_finding *findings = calloc(FINDINGS_MOST, sizeof(*findings));
	struct doctor_view view = { .facts = facts, .examination = &clinic->examination, .service = clinic->service,
		.server = clinic->server, .all = clinic->all, .host = findings, .name = answer_of, .forwards = host_forwards,
		.context = clinic };
	size_t problems = 0;
	int result;

	if (findings == NULL)
		return -1;
	view.host_count = host_check(clinic->dsrd, findings, FINDINGS_MOST);
	view.unfinished = !paths_are_fresh(clinic);
	result = doctor_report(writer, &view, &problems);
	*well = problems == 0;
	free(findings);
	return result;
}

void
clinic_close(struct clinic *clinic)
{
	struct director *director;

	if (clinic == NULL)
		return;
	director = &clinic->dsrd->director;
	names_free(clinic->names);
	if (director->probes && clinic->examination.round > 0) {
		examine_end(&clinic->examination, director->forwarder.craft, director->ifaces,
		    &director->forwarder.emitter);
		dsrd_flush(clinic->dsrd);
	}
	if (clinic->listens)
		interfaces_unlisten(clinic->dsrd);
	free(clinic->answers);
	free(clinic->refs);
	free(clinic);
}
