/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/picture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a number of the peer means here was found out for the table of that serial; 0: never. */
struct picture_vip {
	bool known;
	struct addr addr;
	uint64_t serial;
	const struct fwd_vip *here;
};

struct picture_service {
	bool known;
	struct wire_service record;
	uint64_t serial;
	const struct service *here;
};

struct picture_server {
	bool known;
	struct wire_server record;
	uint64_t serial;
	struct server *here;
};

/* By the peer's numbers; a list grows to the highest that was named. */
struct picture {
	struct picture_vip *vips;
	size_t vip_count;
	struct picture_service *services;
	size_t service_count;
	struct picture_server *servers;
	size_t server_count;
	bool complete;
	uint64_t serial;
};

struct picture *
picture_new(void)
{
	return calloc(1, sizeof(struct picture));
}

void
picture_free(struct picture *picture)
{
	if (picture == NULL)
		return;
	free(picture->vips);
	free(picture->services);
	free(picture->servers);
	free(picture);
}

void
picture_reset(struct picture *picture)
{
	const uint64_t serial = picture->serial;

	free(picture->vips);
	free(picture->services);
	free(picture->servers);
	*picture = (struct picture) { .serial = serial + 1 };
}

/* Makes room for entry `number`, zeroed. The list, or NULL: memory is out, and it is as it was. */
static void *
picture_grow(void *list, size_t *count, size_t size, uint16_t number)
{
	size_t more = *count == 0 ? 16 : *count;
	char *grown;

	if (number < *count)
		return list;
	while (more <= number)
		more *= 2;
	grown = realloc(list, more * size);
	if (grown == NULL)
		return NULL;
	memset(grown + *count * size, 0, (more - *count) * size);
	*count = more;
	return grown;
}

int
picture_take_vip(struct picture *picture, const struct wire_vip *vip)
{
	struct picture_vip *list = picture_grow(picture->vips, &picture->vip_count, sizeof(*list), vip->number);

	if (list == NULL)
		return -1;
	picture->vips = list;
	list[vip->number] = (struct picture_vip) { .known = true, .addr = vip->addr };
	picture->serial++;
	return 0;
}

int
picture_take_service(struct picture *picture, const struct wire_service *service)
{
	struct picture_service *list = picture_grow(picture->services, &picture->service_count, sizeof(*list),
	    service->number);

	if (list == NULL)
		return -1;
	picture->services = list;
	list[service->number] = (struct picture_service) { .known = true, .record = *service };
	picture->serial++;
	return 0;
}

int
picture_take_server(struct picture *picture, const struct wire_server *server)
{
	struct picture_server *list = picture_grow(picture->servers, &picture->server_count, sizeof(*list), server->number);

	if (list == NULL)
		return -1;
	picture->servers = list;
	list[server->number] = (struct picture_server) { .known = true, .record = *server };
	picture->serial++;
	return 0;
}

void
picture_complete(struct picture *picture)
{
	picture->complete = true;
	picture->serial++;
}

bool
picture_is_complete(const struct picture *picture)
{
	return picture->complete;
}

uint64_t
picture_serial(const struct picture *picture)
{
	return picture->serial;
}

static const struct fwd_vip *
picture_find_vip(const struct share *share, const struct addr *addr)
{
	const struct fwd_vip *found = NULL;

	for (size_t iface = 0; iface < share->iface_count && found == NULL; iface++)
		found = fwdtab_vip(share->table, (uint16_t)iface, addr);
	return found;
}

const struct fwd_vip *
picture_vip(struct picture *picture, const struct share *share, uint16_t number)
{
	struct picture_vip *vip = number < picture->vip_count ? &picture->vips[number] : NULL;

	if (vip == NULL || !vip->known)
		return NULL;
	if (vip->serial != share->serial) {
		vip->serial = share->serial;
		vip->here = picture_find_vip(share, &vip->addr);
	}
	return vip->here;
}

const struct service *
picture_service(struct picture *picture, const struct share *share, uint16_t number)
{
	struct picture_service *service = number < picture->service_count ? &picture->services[number] : NULL;

	if (service == NULL || !service->known)
		return NULL;
	if (service->serial != share->serial) {
		const struct fwd_vip *vip = picture_find_vip(share, &service->record.vip);
		const struct fwd_service *found = vip == NULL ? NULL : fwd_vip_service(vip, service->record.protocol,
		    service->record.port);

		service->serial = share->serial;
		service->here = found == NULL ? NULL : found->service;
	}
	return service->here;
}

static bool
picture_is_server(const struct server *server, const struct service *service, const struct wire_server *record)
{
	return server != NULL && server->service == service && strcmp(server->settings.name, record->name) == 0 &&
	    addr_equal(&server->settings.addr, &record->addr);
}

/* With the same configuration it is in the same slot. */
static struct server *
picture_find_server(const struct share *share, const struct service *service, const struct wire_server *record)
{
	const struct model *model = share->model;

	if (record->number < model->slot_count && picture_is_server(model->slots[record->number], service, record))
		return model->slots[record->number];
	for (size_t i = 0; i < service->server_count; i++)
		if (picture_is_server(service->servers[i], service, record))
			return service->servers[i];
	return NULL;
}

struct server *
picture_server(struct picture *picture, const struct share *share, uint16_t number)
{
	struct picture_server *server = number < picture->server_count ? &picture->servers[number] : NULL;
	const struct service *service;

	if (server == NULL || !server->known)
		return NULL;
	if (server->serial != share->serial) {
		service = picture_service(picture, share, server->record.service);
		server->serial = share->serial;
		server->here = service == NULL ? NULL : picture_find_server(share, service, &server->record);
	}
	return server->here;
}

static const struct picture_service *
picture_of_service(struct picture *picture, const struct share *share, const struct service *service)
{
	const uint16_t number = service->run->number;

	/* With the same configuration it has the same number. */
	if (picture_service(picture, share, number) == service)
		return &picture->services[number];
	for (size_t i = 0; i < picture->service_count; i++)
		if (picture_service(picture, share, (uint16_t)i) == service)
			return &picture->services[i];
	return NULL;
}

uint64_t
picture_candidates(struct picture *picture, const struct share *share, const struct service *service)
{
	const struct picture_service *found = picture_of_service(picture, share, service);

	return found == NULL ? 0 : found->record.candidates;
}

/* --- the comparison --- */

struct comparison {
	const struct model *model;
	bool *found;    /* by slot: the peer has the server too */
	bool *differs;  /* by place in the model: something about the service or its servers was found */
	size_t count;
	size_t most;
	void (*each)(void *context, const struct difference *difference);
	void *context;
};

/* `service` is NULL for one that is not here. */
static void picture_tell(struct comparison *comparison, enum difference_kind kind, const struct service *service,
    const char *subject, const char *format, ...) PRINTF_LIKE(5, 6);

static void
picture_tell(struct comparison *comparison, enum difference_kind kind, const struct service *service,
    const char *subject, const char *format, ...)
{
	struct difference difference = { .kind = kind };
	va_list arguments;

	for (size_t i = 0; service != NULL && i < comparison->model->service_count; i++)
		comparison->differs[i] |= comparison->model->services[i] == service;
	if (comparison->count++ >= comparison->most)
		return;
	(void)snprintf(difference.subject, sizeof(difference.subject), "%s", subject);
	va_start(arguments, format);
	(void)vsnprintf(difference.text, sizeof(difference.text), format, arguments);
	va_end(arguments);
	comparison->each(comparison->context, &difference);
}

static void
picture_compare_service(struct comparison *comparison, const struct wire_service *theirs,
    const struct wire_service *ours, const struct service *service)
{
	static const char *const parts[] = { [PART_LISTEN] = "`listen`", [PART_HASH_KEY] = "`hash-key`",
		[PART_PERSIST] = "`persist`", [PART_TIMEOUTS] = "a timeout of connections",
		[PART_CHECKS] = "`check`, or its times", [PART_OTHER] = "`on-down`, `quorum`, `method` or another setting" };

	if (strcmp(theirs->name, ours->name) != 0)
		picture_tell(comparison, DIFFERENCE_CONFIGURATION, service, ours->name, "the peer calls this service %s: by hash it "
		    "chooses other servers", theirs->name);
	if (strcmp(theirs->scheduler, ours->scheduler) != 0)
		picture_tell(comparison, DIFFERENCE_CONFIGURATION, service, ours->name, "`scheduler` is %s here and %s there",
		    ours->scheduler, theirs->scheduler);
	for (size_t i = 0; i < PART_COUNT; i++)
		if (theirs->parts[i] != ours->parts[i])
			picture_tell(comparison, DIFFERENCE_CONFIGURATION, service, ours->name, "%s is different there", parts[i]);
}

static const char *
picture_why(enum server_state state, const char *reason)
{
	return state == SERVER_UP ? "up" : reason;
}

static void
picture_compare_server(struct comparison *comparison, const struct wire_server *theirs, const struct server *server)
{
	char name[SERVER_NAME_TEXT];
	struct wire_server ours;

	share_server(server, &ours);
	server_name(server, name);
	if (theirs->file_weight != ours.file_weight)
		picture_tell(comparison, DIFFERENCE_CONFIGURATION, server->service, name,
		    "its weight is %u here and %u there", (unsigned)ours.file_weight, (unsigned)theirs->file_weight);
	if (theirs->state != ours.state)
		picture_tell(comparison, DIFFERENCE_HEALTH, server->service, name, "%s here (%s), %s there (%s)", server_state_name(ours.state),
		    picture_why(ours.state, ours.reason), server_state_name(theirs->state),
		    picture_why(theirs->state, theirs->reason));
	else if (theirs->weight != ours.weight && theirs->file_weight == ours.file_weight)
		picture_tell(comparison, DIFFERENCE_WEIGHT, server->service, name, "it takes new connections with weight %u "
		    "here and %u there: an operator, a check or an outlier changed it", (unsigned)ours.weight,
		    (unsigned)theirs->weight);
}

/* Marks in `found` what the peer has too. */
static void
picture_compare_theirs(struct picture *picture, const struct share *share, struct comparison *comparison)
{
	for (size_t i = 0; i < picture->service_count; i++)
		if (picture->services[i].known && picture_service(picture, share, (uint16_t)i) == NULL)
			picture_tell(comparison, DIFFERENCE_CONFIGURATION, NULL, picture->services[i].record.name,
			    "the peer has this service, and this director does not");
	for (size_t i = 0; i < picture->server_count; i++) {
		const struct picture_server *theirs = &picture->servers[i];
		const struct server *here = picture_server(picture, share, (uint16_t)i);
		const struct service *service = theirs->known ? picture_service(picture, share, theirs->record.service) : NULL;
		char name[SERVER_NAME_TEXT], addr[ADDR_TEXT];

		if (here != NULL) {
			comparison->found[here->ref.slot] = true;
			picture_compare_server(comparison, &theirs->record, here);
		} else if (service != NULL) {
			(void)snprintf(name, sizeof(name), "%s/%s", service->settings.name, theirs->record.name);
			picture_tell(comparison, DIFFERENCE_CONFIGURATION, service, name, "the peer has this server at %s, and this "
			    "director does not", addr_format(&theirs->record.addr, addr));
		}
	}
}

static void
picture_compare_ours(struct picture *picture, const struct share *share, struct comparison *comparison)
{
	const struct model *model = share->model;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];
		const struct picture_service *theirs = picture_of_service(picture, share, service);
		struct wire_service ours;

		if (theirs == NULL) {
			picture_tell(comparison, DIFFERENCE_CONFIGURATION, service, service->settings.name,
			    "the peer does not have this service");
			continue;
		}
		share_service(share, service, &ours);
		picture_compare_service(comparison, &theirs->record, &ours, service);
		for (size_t j = 0; j < service->server_count; j++) {
			const struct server *server = service->servers[j];
			char name[SERVER_NAME_TEXT], addr[ADDR_TEXT];

			if (!comparison->found[server->ref.slot])
				picture_tell(comparison, DIFFERENCE_CONFIGURATION, service, server_name(server, name),
				    "the peer does not have this server at %s", addr_format(&server->settings.addr, addr));
		}
		if (!comparison->differs[i] && theirs->record.candidates != ours.candidates)
			picture_tell(comparison, DIFFERENCE_TABLE, service, service->settings.name, "its table of new connections "
			    "is %016" PRIx64 " here and %016" PRIx64 " there: on one of the two a server is warming up, has just "
			    "changed, or has no known MAC address", ours.candidates, theirs->record.candidates);
	}
}

size_t
picture_compare(struct picture *picture, const struct share *share, size_t most,
    void (*each)(void *context, const struct difference *difference), void *context)
{
	const struct model *model = share->model;
	struct comparison comparison = { .model = model, .most = most, .each = each, .context = context };

	if (!picture->complete)
		return 0;
	comparison.found = calloc(model->slot_count + 1, sizeof(*comparison.found));
	comparison.differs = calloc(model->service_count + 1, sizeof(*comparison.differs));
	if (comparison.found != NULL && comparison.differs != NULL) {
		picture_compare_theirs(picture, share, &comparison);
		picture_compare_ours(picture, share, &comparison);
	}
	free(comparison.found);
	free(comparison.differs);
	return comparison.count;
}
