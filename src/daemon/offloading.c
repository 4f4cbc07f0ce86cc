/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/offloading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "compat/entropy.h"
#include "daemon/director.h"
#include "daemon/port.h"
#include "offload/cache.h"
#include "flow/unproven.h"
#include "offload/bpf_offload.h"
#include "offload/publish.h"

/* Collected immediately when counters are read: some milliseconds. Beyond it they are a second old at most. */
#define SYNC_MOST 65536
/* After one failure the program is attached again; after two in a row it is not. */
#define TROUBLES_MOST 2

static const char replaced[] = "another filter has replaced dsrd's program on the capture";

struct offloading {
	struct director *director;
	struct nic *nics;
	struct bpf_offload *path; /* NULL: `reason` says why */
	enum conf_offload mode; /* what was wanted when dsrd was started */
	bool wide; /* the captures are to receive everything */
	unsigned troubles;
	char reason[BPF_OFFLOAD_ERROR];
	char reasons[IFACES_MOST][BPF_OFFLOAD_ERROR];
};

static void
offloading_log_off(const struct offloading *offloading)
{
	log_notice("offload mode=%s result=off reason=\"%s\" meaning=\"every frame goes through dsrd itself\"",
	    conf_offload_name(offloading->mode), offloading->reason);
}

static void
offloading_on_record(void *context, const struct select_record *record)
{
	struct offloading *offloading = context;

	forward_learn(&offloading->director->forwarder, record);
}

static bool
offloading_learn_all(void *context)
{
	struct offloading *offloading = context;

	return bpf_offload_read(offloading->path, UINT32_MAX, offloading_on_record, offloading) > 0;
}

/* With a reason when it fails. */
static void
offloading_load(struct offloading *offloading, const struct attacher *attacher)
{
	struct forwarder *forwarder = &offloading->director->forwarder;
	const uint32_t connections = conn_table_capacity(forwarder->conns);
	struct siphash_key secret;

	if (getentropy(&secret, sizeof(secret)) == -1) {
		snprintf(offloading->reason, sizeof(offloading->reason), "no random numbers: %s", strerror(errno));
		return;
	}
	offloading->path = bpf_offload_open(connections, attacher, offloading->reason);
	if (offloading->path == NULL)
		return;
	forwarder->offload = offload_new(bpf_offload_memory(offloading->path), &secret, forwarder->conns, connections,
	    &forwarder->stats);
	if (forwarder->offload != NULL) {
		forwarder->learn = offloading_learn_all;
		forwarder->learn_context = offloading;
		return;
	}
	snprintf(offloading->reason, sizeof(offloading->reason), "out of memory");
	bpf_offload_close(offloading->path);
	offloading->path = NULL;
}

struct offloading *
offloading_open(struct director *director, struct nic *nics, enum conf_offload mode, const struct attacher *attacher)
{
	struct offloading *offloading = calloc(1, sizeof(*offloading));

	if (offloading == NULL)
		return NULL;
	offloading->director = director;
	offloading->nics = nics;
	offloading->mode = mode;
	if (mode == OFFLOAD_OFF)
		return offloading;
	offloading_load(offloading, attacher);
	if (offloading->path == NULL)
		offloading_log_off(offloading);
	return offloading;
}

void
offloading_close(struct offloading *offloading)
{
	if (offloading == NULL)
		return;
	offload_free(offloading->director->forwarder.offload);
	offloading->director->forwarder.offload = NULL;
	offloading->director->forwarder.learn = NULL;
	bpf_offload_close(offloading->path);
	free(offloading);
}

int
offloading_records(const struct offloading *offloading)
{
	return offloading->path != NULL ? bpf_offload_descriptor(offloading->path) : -1;
}

void
offloading_learn(struct offloading *offloading)
{
	if (offloading->path != NULL)
		(void)offloading_learn_all(offloading);
}

/*
 * dsrd selects by hash before the kernel does, and for longer: a SYN that the client sends again may be read by the other
 * one, and must reach the same server.
 */
void
offloading_watch_flood(struct offloading *offloading, uint64_t now)
{
	struct forwarder *forwarder = &offloading->director->forwarder;
	const struct flood_counts counts = { .frames = forwarder->stats.frames - forwarder->stats.offloaded,
		.begun = forwarder->begun, .selected = forwarder->stats.selected, .lost = forwarder->lost };
	const bool changed = offloading->path != NULL && flood_tick(&forwarder->flood, &counts);

	if (forwarder->flood.on)
		conn_set_flood(forwarder->conns, now + UNPROVEN_CALM);
	if (!changed)
		return;
	offload_set_flood(forwarder->offload, forwarder->flood.on);
	if (forwarder->flood.on)
		log_warning("flood state=begun flows-per-second=%" PRIu64 " meaning=\"connections begin faster than dsrd "
		    "can schedule them: the kernel selects their servers by hash\"", forwarder->flood.rate);
	else
		log_notice("flood state=ended meaning=\"new connections are scheduled again\"");
}

static int
offloading_capture(const struct offloading *offloading, size_t index)
{
	struct receiver *receiver = offloading->nics[index].receiver;

	return receiver == NULL ? -1 : receiver->ops->descriptor(receiver);
}

static const char *
offloading_kind_name(enum bpf_offload_kind kind)
{
	switch (kind) {
	case BPF_OFFLOAD_OFF:
		return "off";
	case BPF_OFFLOAD_TC:
		return "tc";
	case BPF_OFFLOAD_XDP:
		return "xdp";
	case BPF_OFFLOAD_XDP_GENERIC:
		return "xdp-generic";
	}
	return "?";
}

static bool
offloading_is_on(const struct offloading *offloading, size_t index)
{
	return offloading->path != NULL &&
	    bpf_offload_kind(offloading->path, index) != BPF_OFFLOAD_OFF;
}

/*
 * What the capture receives of what the kernel does not forward. The program of tc has the addresses, and a word for
 * `wide`.
 */
static void
offloading_filter_one(struct offloading *offloading, size_t index)
{
	struct nic *nic = &offloading->nics[index];

	nic->programmed = offloading_is_on(offloading, index) &&
	    bpf_offload_kind(offloading->path, index) == BPF_OFFLOAD_TC;
	nic_filter(nic, &offloading->director->ifaces[index], (uint16_t)index, offloading->director->model,
	    offloading->wide);
}

void
offloading_filter(struct offloading *offloading, bool wide)
{
	offloading->wide = wide;
	if (offloading->path != NULL)
		__atomic_store_n(&bpf_offload_memory(offloading->path)->control->wide, offloading->wide,
		    __ATOMIC_RELEASE);
	for (size_t i = 0; i < offloading->director->iface_count; i++)
		offloading_filter_one(offloading, i);
}

/* Tries XDP, and tc where XDP fails. */
static void
offloading_begin(struct offloading *offloading, size_t index)
{
	const char *name = offloading->director->ifaces[index].name;
	const int capture = offloading_capture(offloading, index);
	char *reason = offloading->reasons[index];
	enum bpf_offload_kind kind = BPF_OFFLOAD_OFF;

	if (offloading->mode == OFFLOAD_XDP) {
		kind = bpf_offload_attach(offloading->path, index, name, capture, true, reason);
		if (kind == BPF_OFFLOAD_OFF)
			log_notice("offload interface=%s result=no-xdp reason=\"%s\" meaning=\"tc is tried\"", name,
			    reason);
	}
	if (kind == BPF_OFFLOAD_OFF)
		kind = bpf_offload_attach(offloading->path, index, name, capture, false, reason);
	if (kind == BPF_OFFLOAD_OFF) {
		log_warning("offload interface=%s result=off reason=\"%s\" meaning=\"every frame goes through dsrd "
		    "itself\"", name,
		    reason);
		return;
	}
	reason[0] = '\0';
	log_info("offload interface=%s result=%s", name, offloading_kind_name(kind));
}

void
offloading_settle(struct offloading *offloading)
{
	struct director *director = offloading->director;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct nic *nic = &offloading->nics[i];
		const bool may = offloading->path != NULL && nic_is_open(nic);
		const bool has_vips = model_vips_at(director->model, i, ADDR_NONE) > 0;

		if (offloading_is_on(offloading, i) && !has_vips)
			offloading_end(offloading, i);
		if (may && !offloading_is_on(offloading, i) && offloading->troubles < TROUBLES_MOST && has_vips)
			offloading_begin(offloading, i);
		offloading_filter_one(offloading, i);
		nic_join(nic, &director->ifaces[i], (uint16_t)i, director->model);
		if (!may)
			continue;
		offload_iface(director->forwarder.offload, (uint16_t)i, bpf_offload_ifindex(director->ifaces[i].name),
		    offloading_is_on(offloading, i));
	}
	if (director->forwarder.offload == NULL)
		return;
	director->stale = true;
	director_refresh(director);
}

void
offloading_end(struct offloading *offloading, size_t index)
{
	if (!offloading_is_on(offloading, index))
		return;
	offloading_sync(offloading);
	offload_iface(offloading->director->forwarder.offload, (uint16_t)index, 0, false);
	bpf_offload_settle();
	bpf_offload_detach(offloading->path, index, offloading_capture(offloading, index));
}

/* What keeps the kernel from offloading, or NULL. */
static const char *
offloading_find_trouble(const struct offloading *offloading)
{

	if (__atomic_load_n(&bpf_offload_memory(offloading->path)->control->unconsumed, __ATOMIC_ACQUIRE) != 0)
		return "dsrd's program at tc ingress was removed, or another one takes frames before it: see `tc "
		    "filter show dev IF "
		    "ingress`";
	for (size_t i = 0; i < offloading->director->iface_count; i++)
		if (offloading_is_on(offloading, i) && !bpf_offload_decides(offloading->path, i,
		    offloading_capture(offloading, i)))
			return replaced;
	return NULL;
}

void
offloading_look(struct offloading *offloading)
{
	const char *trouble;

	if (offloading->path == NULL)
		return;
	trouble = offloading_find_trouble(offloading);
	if (trouble == NULL)
		return;
	offloading->troubles++;
	log_warning("offload result=interrupted reason=\"%s\" meaning=\"%s\"", trouble,
	    offloading->troubles < TROUBLES_MOST ?
	    "it is attached again" : "every frame goes through dsrd itself until it is started again");
	for (size_t i = 0; i < offloading->director->iface_count; i++) {
		if (!offloading_is_on(offloading, i))
			continue;
		offloading_end(offloading, i);
		snprintf(offloading->reasons[i], sizeof(offloading->reasons[i]), "%s", trouble);
	}
	__atomic_store_n(&bpf_offload_memory(offloading->path)->control->unconsumed, 0, __ATOMIC_RELEASE);
	offloading_settle(offloading);
}

void
offloading_rescan(struct offloading *offloading)
{
	if (offloading->mode != OFFLOAD_XDP || offloading->path == NULL)
		return;
	for (size_t i = 0; i < offloading->director->iface_count; i++) {
		const char *name = offloading->director->ifaces[i].name;
		const enum bpf_offload_kind kind = bpf_offload_kind(offloading->path, i);

		if ((kind != BPF_OFFLOAD_XDP && kind != BPF_OFFLOAD_XDP_GENERIC) || !bpf_offload_strips_tags(name))
			continue;
		offloading_end(offloading, i);
		/* It says why, and takes tc. */
		offloading_begin(offloading, i);
		offload_iface(offloading->director->forwarder.offload, (uint16_t)i, bpf_offload_ifindex(name),
		    offloading_is_on(offloading, i));
		offloading_filter_one(offloading, i);
	}
}

void
offloading_sync(struct offloading *offloading)
{
	offloading_learn(offloading);
	if (offloading->director->forwarder.offload != NULL)
		offload_sync(offloading->director->forwarder.offload, SYNC_MOST, clock_us());
}

/* From the kernel itself: up to a second may pass until offloading_look(). */
static bool
offloading_is_active(const struct offloading *offloading, size_t index)
{
	return offloading_is_on(offloading, index) && bpf_offload_decides(offloading->path, index,
	    offloading_capture(offloading, index));
}

const char *
offloading_state(const struct offloading *offloading, size_t index)
{
	return offloading_is_active(offloading, index) ? offloading_kind_name(bpf_offload_kind(offloading->path,
	    index)) : "off";
}

const char *
offloading_reason(const struct offloading *offloading, size_t index)
{

	if (offloading->mode == OFFLOAD_OFF || offloading_is_active(offloading, index))
		return "";
	if (offloading->path == NULL)
		return offloading->reason;
	return offloading_is_on(offloading, index) ? replaced : offloading->reasons[index];
}

/* With `auto`, a system without offload is normal; the loss of offload is a problem. */
const char *
offloading_lost(const struct offloading *offloading, size_t index)
{
	const char *reason = offloading_reason(offloading, index);

	if (model_vips_at(offloading->director->model, index, ADDR_NONE) == 0 || reason[0] == '\0' ||
	    (offloading->path == NULL && offloading->mode == OFFLOAD_AUTO))
		return NULL;
	return reason;
}
