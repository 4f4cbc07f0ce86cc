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
#include "offload/bpf_offload.h"

/* Fetched at once when counters are asked for: some milliseconds. Beyond it they are a second old at most. */
#define SYNC_MOST 65536
/* What goes wrong once is fixed, twice in a row it is left alone. */
#define TROUBLES_MOST 2

static const char replaced[] = "another filter has replaced dsrd's program on the capture";

struct offloading {
	struct bpf_offload *path; /* NULL: `reason` says why */
	enum conf_offload mode; /* what was wanted when dsrd was started */
	unsigned troubles;
	char reason[BPF_OFFLOAD_ERROR];
	char reasons[IFACES_MOST][BPF_OFFLOAD_ERROR];
};

static void
refuse(const struct offloading *offloading)
{
	log_notice("offload mode=%s result=off reason=\"%s\" meaning=\"every frame goes through dsrd itself\"",
	    conf_offload_name(offloading->mode), offloading->reason);
}

void
offloading_open(struct dsrd *dsrd)
{
	const uint32_t connections = conn_table_capacity(dsrd->director.forwarder.conns);
	struct offloading *offloading;
	struct siphash_key secret;

	if (dsrd->options->observe || dsrd->conf.offload == OFFLOAD_OFF)
		return;
	offloading = calloc(1, sizeof(*offloading));
	if (offloading == NULL || getentropy(&secret, sizeof(secret)) == -1) {
		free(offloading);
		return;
	}
	offloading->mode = dsrd->conf.offload;
	dsrd->offloading = offloading;
	offloading->path = bpf_offload_open(connections, offloading->reason);
	if (offloading->path != NULL)
		dsrd->director.forwarder.offload = offload_new(bpf_offload_memory(offloading->path), &secret,
		    dsrd->director.forwarder.conns, connections, &dsrd->director.forwarder.stats);
	if (dsrd->director.forwarder.offload != NULL)
		return;
	if (offloading->path != NULL)
		snprintf(offloading->reason, sizeof(offloading->reason), "out of memory");
	bpf_offload_close(offloading->path);
	offloading->path = NULL;
	refuse(offloading);
}

void
offloading_close(struct dsrd *dsrd)
{
	struct offloading *offloading = dsrd->offloading;

	if (offloading == NULL)
		return;
	offload_free(dsrd->director.forwarder.offload);
	dsrd->director.forwarder.offload = NULL;
	bpf_offload_close(offloading->path);
	free(offloading);
	dsrd->offloading = NULL;
}

static int
capture_of(const struct dsrd *dsrd, size_t index)
{
	struct receiver *receiver = dsrd->nics[index].receiver;

	return receiver == NULL ? -1 : receiver->ops->descriptor(receiver);
}

static bool
is_on(const struct dsrd *dsrd, size_t index)
{
	return dsrd->offloading != NULL && dsrd->offloading->path != NULL &&
	    bpf_offload_kind(dsrd->offloading->path, index) != BPF_OFFLOAD_OFF;
}

/* What the capture receives of what the kernel does not carry. The program of tc has the addresses, and a word for `wide`. */
static void
offloading_filter_one(struct dsrd *dsrd, size_t index)
{
	struct nic *nic = &dsrd->nics[index];

	nic->programmed = is_on(dsrd, index) && bpf_offload_kind(dsrd->offloading->path, index) == BPF_OFFLOAD_TC;
	nic_filter(nic, &dsrd->director.ifaces[index], (uint16_t)index, dsrd->director.model,
	    dsrd->listeners > 0);
}

void
offloading_filter(struct dsrd *dsrd)
{
	if (dsrd->offloading != NULL && dsrd->offloading->path != NULL)
		__atomic_store_n(&bpf_offload_memory(dsrd->offloading->path)->control->wide, dsrd->listeners > 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < dsrd->director.iface_count; i++)
		offloading_filter_one(dsrd, i);
}

/* With XDP, or with tc where that was not to be. */
static void
begin(struct dsrd *dsrd, size_t index)
{
	struct offloading *offloading = dsrd->offloading;
	const char *name = dsrd->director.ifaces[index].name;
	const int capture = capture_of(dsrd, index);
	char *reason = offloading->reasons[index];
	enum bpf_offload_kind kind = BPF_OFFLOAD_OFF;

	if (offloading->mode == OFFLOAD_XDP) {
		kind = bpf_offload_attach(offloading->path, index, name, capture, true, reason);
		if (kind == BPF_OFFLOAD_OFF)
			log_notice("offload interface=%s result=no-xdp reason=\"%s\" meaning=\"tc is tried\"", name, reason);
	}
	if (kind == BPF_OFFLOAD_OFF)
		kind = bpf_offload_attach(offloading->path, index, name, capture, false, reason);
	if (kind == BPF_OFFLOAD_OFF) {
		log_warning("offload interface=%s result=off reason=\"%s\" meaning=\"every frame goes through dsrd itself\"", name,
		    reason);
		return;
	}
	reason[0] = '\0';
	log_info("offload interface=%s result=%s", name, bpf_offload_name(kind));
}

void
offloading_settle(struct dsrd *dsrd)
{
	struct director *director = &dsrd->director;
	struct offloading *offloading = dsrd->offloading;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct nic *nic = &dsrd->nics[i];
		const bool may = offloading != NULL && offloading->path != NULL && nic_is_open(nic);
		const bool has_vips = model_vips_at(director->model, i, ADDR_NONE) > 0;

		if (is_on(dsrd, i) && !has_vips)
			offloading_end(dsrd, i);
		if (may && !is_on(dsrd, i) && offloading->troubles < TROUBLES_MOST && has_vips)
			begin(dsrd, i);
		offloading_filter_one(dsrd, i);
		nic_join(nic, &director->ifaces[i], (uint16_t)i, director->model);
		if (!may)
			continue;
		offload_iface(director->forwarder.offload, (uint16_t)i, bpf_offload_ifindex(director->ifaces[i].name), is_on(dsrd, i));
	}
	if (director->forwarder.offload == NULL)
		return;
	director->stale = true;
	director_refresh(director);
}

void
offloading_end(struct dsrd *dsrd, size_t index)
{
	if (!is_on(dsrd, index))
		return;
	offloading_sync(dsrd);
	offload_iface(dsrd->director.forwarder.offload, (uint16_t)index, 0, false);
	bpf_offload_settle();
	bpf_offload_detach(dsrd->offloading->path, index, capture_of(dsrd, index));
}

/* What keeps the kernel from offloading, or NULL. */
static const char *
find_trouble(const struct dsrd *dsrd)
{
	const struct offloading *offloading = dsrd->offloading;

	if (__atomic_load_n(&bpf_offload_memory(offloading->path)->control->unconsumed, __ATOMIC_ACQUIRE) != 0)
		return "dsrd's program at tc ingress was removed, or another one takes frames before it: see `tc filter show dev IF "
		    "ingress`";
	for (size_t i = 0; i < dsrd->director.iface_count; i++)
		if (is_on(dsrd, i) && !bpf_offload_decides(offloading->path, i, capture_of(dsrd, i)))
			return replaced;
	return NULL;
}

void
offloading_look(struct dsrd *dsrd)
{
	struct offloading *offloading = dsrd->offloading;
	const char *trouble;

	if (offloading == NULL || offloading->path == NULL)
		return;
	trouble = find_trouble(dsrd);
	if (trouble == NULL)
		return;
	offloading->troubles++;
	log_warning("offload result=interrupted reason=\"%s\" meaning=\"%s\"", trouble, offloading->troubles < TROUBLES_MOST ?
	    "it is attached again" : "every frame goes through dsrd itself until it is started again");
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		if (!is_on(dsrd, i))
			continue;
		offloading_end(dsrd, i);
		snprintf(offloading->reasons[i], sizeof(offloading->reasons[i]), "%s", trouble);
	}
	__atomic_store_n(&bpf_offload_memory(offloading->path)->control->unconsumed, 0, __ATOMIC_RELEASE);
	offloading_settle(dsrd);
}

void
offloading_sync(struct dsrd *dsrd)
{
	if (dsrd->director.forwarder.offload != NULL)
		offload_sync(dsrd->director.forwarder.offload, SYNC_MOST, dsrd_clock());
}

/* Asked of the kernel itself: a second may pass until offloading_look(). */
static bool
carries(const struct dsrd *dsrd, size_t index)
{
	return is_on(dsrd, index) && bpf_offload_decides(dsrd->offloading->path, index, capture_of(dsrd, index));
}

const char *
offloading_state(const struct dsrd *dsrd, size_t index)
{
	return carries(dsrd, index) ? bpf_offload_name(bpf_offload_kind(dsrd->offloading->path, index)) : "off";
}

const char *
offloading_reason(const struct dsrd *dsrd, size_t index)
{
	const struct offloading *offloading = dsrd->offloading;

	if (offloading == NULL || carries(dsrd, index))
		return "";
	if (offloading->path == NULL)
		return offloading->reason;
	return is_on(dsrd, index) ? replaced : offloading->reasons[index];
}

/* With `auto` a system without a fast path is no fault; that it was lost is. */
const char *
offloading_lost(const struct dsrd *dsrd, size_t index)
{
	const struct offloading *offloading = dsrd->offloading;
	const char *reason = offloading_reason(dsrd, index);

	if (offloading == NULL || model_vips_at(dsrd->director.model, index, ADDR_NONE) == 0 || reason[0] == '\0' ||
	    (offloading->path == NULL && offloading->mode == OFFLOAD_AUTO))
		return NULL;
	return reason;
}
