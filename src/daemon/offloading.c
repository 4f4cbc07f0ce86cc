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

static const char replaced[] = "another filter has replaced dsrd's program on the capture";

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

/* What the capture receives of what the kernel does not carry. The program of tc has the addresses, and a word for `wide`. */
static void
carrying_filter_one(struct dsrd *dsrd, size_t index)
{
	struct attachment *attachment = &dsrd->attachments[index];

	attachment->programmed = is_on(dsrd, index) && fast_path_kind(dsrd->carrying->path, index) == FAST_PATH_TC;
	attachment_filter(attachment, &dsrd->director.ifaces[index], (uint16_t)index, dsrd->director.model,
	    dsrd->listeners > 0);
}

void
carrying_filter(struct dsrd *dsrd)
{
	if (dsrd->carrying != NULL && dsrd->carrying->path != NULL)
		__atomic_store_n(&fast_path_memory(dsrd->carrying->path)->control->wide, dsrd->listeners > 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < dsrd->director.iface_count; i++)
		carrying_filter_one(dsrd, i);
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
		if (may && !is_on(dsrd, i) && carrying->troubles < TROUBLES_MOST && has_vips)
			begin(dsrd, i);
		carrying_filter_one(dsrd, i);
		attachment_join(attachment, &director->ifaces[i], (uint16_t)i, director->model);
		if (!may)
			continue;
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

/* What keeps the kernel from carrying, or NULL. */
static const char *
find_trouble(const struct dsrd *dsrd)
{
	const struct carrying *carrying = dsrd->carrying;

	if (__atomic_load_n(&fast_path_memory(carrying->path)->control->unconsumed, __ATOMIC_ACQUIRE) != 0)
		return "dsrd's program at tc ingress was removed, or another one takes frames before it: see `tc filter show dev IF "
		    "ingress`";
	for (size_t i = 0; i < dsrd->director.iface_count; i++)
		if (is_on(dsrd, i) && !fast_path_decides(carrying->path, i, capture_of(dsrd, i)))
			return replaced;
	return NULL;
}

void
carrying_look(struct dsrd *dsrd)
{
	struct carrying *carrying = dsrd->carrying;
	const char *trouble;

	if (carrying == NULL || carrying->path == NULL)
		return;
	trouble = find_trouble(dsrd);
	if (trouble == NULL)
		return;
	carrying->troubles++;
	log_warning("offload result=interrupted reason=\"%s\" meaning=\"%s\"", trouble, carrying->troubles < TROUBLES_MOST ?
	    "it is attached again" : "every frame goes through dsrd itself until it is started again");
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		if (!is_on(dsrd, i))
			continue;
		carrying_end(dsrd, i);
		snprintf(carrying->reasons[i], sizeof(carrying->reasons[i]), "%s", trouble);
	}
	__atomic_store_n(&fast_path_memory(carrying->path)->control->unconsumed, 0, __ATOMIC_RELEASE);
	carrying_settle(dsrd);
}

void
carrying_sync(struct dsrd *dsrd)
{
	if (dsrd->director.forwarder.carry != NULL)
		carry_sync(dsrd->director.forwarder.carry, SYNC_MOST, dsrd_clock());
}

/* Asked of the kernel itself: a second may pass until carrying_look(). */
static bool
carries(const struct dsrd *dsrd, size_t index)
{
	return is_on(dsrd, index) && fast_path_decides(dsrd->carrying->path, index, capture_of(dsrd, index));
}

const char *
carrying_state(const struct dsrd *dsrd, size_t index)
{
	return carries(dsrd, index) ? fast_path_name(fast_path_kind(dsrd->carrying->path, index)) : "off";
}

const char *
carrying_reason(const struct dsrd *dsrd, size_t index)
{
	const struct carrying *carrying = dsrd->carrying;

	if (carrying == NULL || carries(dsrd, index))
		return "";
	if (carrying->path == NULL)
		return carrying->reason;
	return is_on(dsrd, index) ? replaced : carrying->reasons[index];
}

/* With `auto` a system without a fast path is no fault; that it was lost is. */
const char *
carrying_lost(const struct dsrd *dsrd, size_t index)
{
	const struct carrying *carrying = dsrd->carrying;
	const char *reason = carrying_reason(dsrd, index);

	if (carrying == NULL || model_vips_at(dsrd->director.model, index, ADDR_NONE) == 0 || reason[0] == '\0' ||
	    (carrying->path == NULL && carrying->mode == OFFLOAD_AUTO))
		return NULL;
	return reason;
}
