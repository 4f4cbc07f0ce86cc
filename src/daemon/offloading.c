/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/offloading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "compat/entropy.h"
#include "daemon/dsrd.h"
#include "offload/cache.h"
#include "offload/fast_path.h"

/* Fetched at once when counters are asked for: some milliseconds. Beyond it they are a second old at most. */
#define SYNC_MOST 65536
/* What goes wrong once is mended, twice in a row it is left alone. */
#define TROUBLES_MOST 2

struct carrying {
	struct fast_path *path; /* NULL: `reason` says why */
	enum conf_offload mode; /* what was wanted when dsrd was started */
	unsigned troubles;
	char reason[FAST_PATH_ERROR];
	char reasons[IFACES_MOST][FAST_PATH_ERROR];
};

static void
refuse(const struct carrying *carrying)
{
	log_notice("offload mode=%s result=off reason=\"%s\" meaning=\"every frame goes through dsrd itself\"",
	    conf_offload_name(carrying->mode), carrying->reason);
}

void
carrying_open(struct dsrd *dsrd)
{
	const uint32_t connections = conn_table_capacity(dsrd->director.forwarder.conns);
	struct carrying *carrying;
	struct siphash_key secret;

	if (dsrd->options->observe || dsrd->conf.offload == OFFLOAD_OFF)
		return;
	carrying = calloc(1, sizeof(*carrying));
	if (carrying == NULL || getentropy(&secret, sizeof(secret)) == -1) {
		free(carrying);
		return;
	}
	carrying->mode = dsrd->conf.offload;
	dsrd->carrying = carrying;
	carrying->path = fast_path_open(connections, carrying->reason);
	if (carrying->path != NULL)
		dsrd->director.forwarder.carry = carry_new(fast_path_memory(carrying->path), &secret,
		    dsrd->director.forwarder.conns, connections, &dsrd->director.forwarder.stats);
	if (dsrd->director.forwarder.carry != NULL)
		return;
	if (carrying->path != NULL)
		snprintf(carrying->reason, sizeof(carrying->reason), "out of memory");
	fast_path_close(carrying->path);
	carrying->path = NULL;
	refuse(carrying);
}

void
carrying_close(struct dsrd *dsrd)
{
	struct carrying *carrying = dsrd->carrying;

	if (carrying == NULL)
		return;
	carry_free(dsrd->director.forwarder.carry);
	dsrd->director.forwarder.carry = NULL;
	fast_path_close(carrying->path);
	free(carrying);
	dsrd->carrying = NULL;
}

static int
capture_of(const struct dsrd *dsrd, size_t index)
{
	struct receiver *receiver = dsrd->attachments[index].receiver;

	return receiver == NULL ? -1 : receiver->ops->descriptor(receiver);
}

static bool
is_on(const struct dsrd *dsrd, size_t index)
{
	return dsrd->carrying != NULL && dsrd->carrying->path != NULL &&
	    fast_path_kind(dsrd->carrying->path, index) != FAST_PATH_OFF;
}

/* With XDP, or with tc where that was not to be. */
static void
begin(struct dsrd *dsrd, size_t index)
{
	struct carrying *carrying = dsrd->carrying;
	const char *name = dsrd->director.ifaces[index].name;
	const int capture = capture_of(dsrd, index);
	char *reason = carrying->reasons[index];
	enum fast_path_kind kind = FAST_PATH_OFF;

	if (carrying->mode == OFFLOAD_XDP) {
		kind = fast_path_attach(carrying->path, index, name, capture, true, reason);
		if (kind == FAST_PATH_OFF)
			log_notice("offload interface=%s result=no-xdp reason=\"%s\" meaning=\"tc is tried\"", name, reason);
	}
	if (kind == FAST_PATH_OFF)
		kind = fast_path_attach(carrying->path, index, name, capture, false, reason);
	if (kind == FAST_PATH_OFF) {
		log_warning("offload interface=%s result=off reason=\"%s\" meaning=\"every frame goes through dsrd itself\"", name,
		    reason);
		return;
	}
	reason[0] = '\0';
	log_info("offload interface=%s result=%s", name, fast_path_name(kind));
}

void
carrying_settle(struct dsrd *dsrd)
{
	struct director *director = &dsrd->director;
	struct carrying *carrying = dsrd->carrying;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct attachment *attachment = &dsrd->attachments[i];
		const bool may = carrying != NULL && carrying->path != NULL && attachment_is_open(attachment);
		const bool has_vips = model_vips_at(director->model, i, ADDR_NONE) > 0;

		if (is_on(dsrd, i) && !has_vips)
			carrying_end(dsrd, i);
		/* tc has a filter of its own on the capture, which knows the addresses. */
		if (!is_on(dsrd, i) || fast_path_kind(carrying->path, i) != FAST_PATH_TC)
			attachment_filter(attachment, &director->ifaces[i], (uint16_t)i, director->model);
		attachment_join(attachment, &director->ifaces[i], (uint16_t)i, director->model);
		if (!may)
			continue;
		if (!is_on(dsrd, i) && carrying->troubles < TROUBLES_MOST && has_vips)
			begin(dsrd, i);
		/* Where the attempt has taken the filter away, a second one does no harm. */
		if (!is_on(dsrd, i))
			attachment_filter(attachment, &director->ifaces[i], (uint16_t)i, director->model);
		carry_iface(director->forwarder.carry, (uint16_t)i, fast_path_ifindex(director->ifaces[i].name), is_on(dsrd, i));
	}
	if (director->forwarder.carry == NULL)
		return;
	director->stale = true;
	director_refresh(director);
}

void
carrying_end(struct dsrd *dsrd, size_t index)
{
	if (!is_on(dsrd, index))
		return;
	carrying_sync(dsrd);
	carry_iface(dsrd->director.forwarder.carry, (uint16_t)index, 0, false);
	fast_path_settle();
	fast_path_detach(dsrd->carrying->path, index, capture_of(dsrd, index));
}

/* Frames were decided and not fetched: somebody has removed tc's program, or put another before it. */
void
carrying_look(struct dsrd *dsrd)
{
	struct carrying *carrying = dsrd->carrying;
	struct carry_control *control;

	if (carrying == NULL || carrying->path == NULL)
		return;
	control = fast_path_memory(carrying->path)->control;
	if (__atomic_load_n(&control->unconsumed, __ATOMIC_ACQUIRE) == 0)
		return;
	carrying->troubles++;
	log_warning("offload result=interrupted reason=\"dsrd's program at tc ingress was removed, or another one takes frames "
	    "before it: see `tc filter show dev IF ingress`\" meaning=\"%s\"", carrying->troubles < TROUBLES_MOST ?
	    "it is attached again" : "every frame goes through dsrd itself until it is started again");
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		if (!is_on(dsrd, i))
			continue;
		carrying_end(dsrd, i);
		snprintf(carrying->reasons[i], sizeof(carrying->reasons[i]), "another program at tc ingress is in the way");
	}
	__atomic_store_n(&control->unconsumed, 0, __ATOMIC_RELEASE);
	carrying_settle(dsrd);
}

void
carrying_sync(struct dsrd *dsrd)
{
	if (dsrd->director.forwarder.carry != NULL)
		carry_sync(dsrd->director.forwarder.carry, SYNC_MOST, dsrd_clock());
}

const char *
carrying_state(const struct dsrd *dsrd, size_t index)
{
	return is_on(dsrd, index) ? fast_path_name(fast_path_kind(dsrd->carrying->path, index)) : "off";
}

const char *
carrying_reason(const struct dsrd *dsrd, size_t index)
{
	const struct carrying *carrying = dsrd->carrying;

	if (carrying == NULL || is_on(dsrd, index))
		return "";
	return carrying->path == NULL ? carrying->reason : carrying->reasons[index];
}
