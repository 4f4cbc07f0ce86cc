/* SPDX-License-Identifier: ISC */
/* Receives from an interface through libpcap. */
#include "config.h"

#include "io/io.h"

#include <errno.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "compat/pcap_wait.h"
#include "io/io_whole.h"

/*
 * 8192 frames on Linux, 20 ms of 400 000 a second: longer than a busy host keeps us from reading. A quarter of it would
 * stay in the processor's caches, which is worth one frame in twenty, but lost frames at nine tenths of what can be
 * done.
 */
#define RING_BYTES (16 * 1024 * 1024)
#define TIMEOUT_MS 1 /* without meaning in immediate mode, but some systems refuse 0 */

struct pcap_receiver {
	struct receiver receiver; /* first: the ops get a pointer to it */
	pcap_t *pcap;
	struct whole *whole;
	struct pcap_stat last; /* libpcap counts in 32 bits, which a busy director fills within the hour */
	struct receiver_stats total;
};

/* What one dispatch() needs in the callback. */
struct delivery {
	struct pcap_receiver *self;
	io_frame *deliver;
	void *context;
};

static void
deliver_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	const struct delivery *delivery = (const struct delivery *)(const void *)user;
	uint64_t when = SECONDS(header->ts.tv_sec) + (uint64_t)header->ts.tv_usec;
	struct frame frame = {
		/*
		 * The one cast of const in the project: frames are re-addressed in place. libpcap hands out a buffer of
		 * its own, on the heap or a ring that it mapped for reading and writing, and itself moves bytes in it
		 * to put VLAN tags back.
		 */
		.bytes = (uint8_t *)(uintptr_t)bytes,
		.length = header->caplen,
		.wire_length = header->len,
		.iface = delivery->self->receiver.iface,
	};

	if (frame.length < frame.wire_length)
		(void)whole_fetch(delivery->self->whole, &frame);
	delivery->deliver(delivery->context, &frame, when);
}

static int
pcap_receiver_dispatch(struct receiver *receiver, int budget, io_frame *deliver, void *context, char error[IO_ERROR])
{
	struct pcap_receiver *self = (struct pcap_receiver *)receiver;
	struct delivery delivery = {self, deliver, context};
	int count = pcap_dispatch(self->pcap, budget, deliver_frame, (u_char *)&delivery);

	whole_settle(self->whole, count);
	if (count < 0) {
		(void)snprintf(error, IO_ERROR, "%s", pcap_geterr(self->pcap));
		return -1;
	}
	if (whole_error(self->whole) != 0) {
		(void)snprintf(error, IO_ERROR, "%s", strerror(whole_error(self->whole)));
		return -1;
	}
	return count;
}

static int
pcap_receiver_descriptor(struct receiver *receiver)
{
	return pcap_get_selectable_fd(((struct pcap_receiver *)receiver)->pcap);
}

static const struct timeval *
pcap_receiver_wait(struct receiver *receiver)
{
	return pcap_get_required_select_timeout(((struct pcap_receiver *)receiver)->pcap);
}

/* For whole frames: a filter's result is also a snap length, and ours would cut at the end of a slot. */
static int
io_pcap_compile(const char *expression, struct bpf_program *program, char error[IO_ERROR])
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, FRAME_MOST);
	int result = -1;

	if (pcap == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return -1;
	}
	if (pcap_compile(pcap, program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0)
		result = 0;
	else
		(void)snprintf(error, IO_ERROR, "filter `%.200s`: %.256s", expression, pcap_geterr(pcap));
	pcap_close(pcap);
	return result;
}

static int
pcap_receiver_filter(struct receiver *receiver, const char *expression, char error[IO_ERROR])
{
	struct pcap_receiver *self = (struct pcap_receiver *)receiver;
	struct bpf_program program;
	int result = 0;

	if (io_pcap_compile(expression, &program, error) == -1)
		return -1;
	if (pcap_setfilter(self->pcap, &program) != 0) {
		(void)snprintf(error, IO_ERROR, "cannot set the filter: %s", pcap_geterr(self->pcap));
		result = -1;
	}
	pcap_freecode(&program);
	return result;
}

/* Right as long as it is called once in 2^32 frames. */
static void
pcap_receiver_stats(struct receiver *receiver, struct receiver_stats *stats)
{
	struct pcap_receiver *self = (struct pcap_receiver *)receiver;
	struct pcap_stat now;

	if (pcap_stats(self->pcap, &now) == 0) {
		self->total.received += (uint32_t)(now.ps_recv - self->last.ps_recv);
		self->total.dropped += (uint32_t)(now.ps_drop - self->last.ps_drop);
		self->last = now;
	}
	*stats = self->total;
}

static void
pcap_receiver_close(struct receiver *receiver)
{
	struct pcap_receiver *self = (struct pcap_receiver *)receiver;

	pcap_close(self->pcap);
	whole_close(self->whole);
	free(self);
}

static const struct receiver_ops pcap_receiver_ops = {
	.dispatch = pcap_receiver_dispatch,
	.descriptor = pcap_receiver_descriptor,
	.wait = pcap_receiver_wait,
	.filter = pcap_receiver_filter,
	.stats = pcap_receiver_stats,
	.close = pcap_receiver_close,
};

/* libpcap's status as a sentence in `error` and a value for errno. */
static int
io_pcap_explain(pcap_t *pcap, int status, const char *iface, char error[IO_ERROR])
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		(void)snprintf(error, IO_ERROR, "no interface `%s` on this host", iface);
		return ENXIO;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		(void)snprintf(error, IO_ERROR, "no permission to capture on %s: %.256s", iface, pcap_geterr(pcap));
		return EPERM;
	case PCAP_ERROR_IFACE_NOT_UP:
		(void)snprintf(error, IO_ERROR, "interface %s is down", iface);
		return ENETDOWN;
	default: /* an int, not an enum */
		(void)snprintf(error, IO_ERROR, "cannot capture on %s: %s: %.256s", iface, pcap_statustostr(status),
		    pcap_geterr(pcap));
		return EIO;
	}
}

/* Before activation; these fail only on a handle that is already active. */
static void
io_pcap_set_options(pcap_t *pcap, const char *iface)
{
	(void)pcap_set_snaplen(pcap, whole_snaplen(iface));
	(void)pcap_set_promisc(pcap, 0);
	/* Without it frames wait for the timeout, and on OpenBSD the descriptor never becomes readable. */
	(void)pcap_set_immediate_mode(pcap, 1);
	(void)pcap_set_buffer_size(pcap, RING_BYTES);
	(void)pcap_set_timeout(pcap, TIMEOUT_MS);
}

/* 0, or a value for errno with a reason in `error`. */
static int
io_pcap_activate(pcap_t *pcap, const char *iface, char error[IO_ERROR])
{
	char reason[PCAP_ERRBUF_SIZE];
	int status, link;

	io_pcap_set_options(pcap, iface);
	status = pcap_activate(pcap);
	if (status < 0) /* above 0 are warnings */
		return io_pcap_explain(pcap, status, iface, error);
	link = pcap_datalink(pcap);
	if (link != DLT_EN10MB) {
		const char *name = pcap_datalink_val_to_name(link);

		(void)snprintf(error, IO_ERROR,
		    "interface %s has no Ethernet frames (its link type is %s): direct routing"
		    " re-addresses Ethernet frames, choose the interface of the servers' Ethernet",
		    iface, name != NULL ? name : "unknown");
		return ENOTSUP;
	}
	if (pcap_setnonblock(pcap, 1, reason) != 0) {
		(void)snprintf(error, IO_ERROR, "cannot capture on %s without blocking: %s", iface, reason);
		return EIO;
	}
	/* Where this is not supported, our own frames come back and are recognised by their source MAC. */
	(void)pcap_setdirection(pcap, PCAP_D_IN);
	return 0;
}

struct receiver *
io_pcap_open(const char *iface, uint16_t index, char error[IO_ERROR])
{
	char reason[PCAP_ERRBUF_SIZE];
	struct pcap_receiver *self = calloc(1, sizeof(*self));
	int number;

	if (self == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return NULL;
	}
	self->receiver.ops = &pcap_receiver_ops;
	self->receiver.iface = index;
	self->pcap = pcap_create(iface, reason);
	if (self->pcap == NULL) {
		(void)snprintf(error, IO_ERROR, "cannot capture on %s: %s", iface, reason);
		number = EIO;
		goto fail;
	}
	number = io_pcap_activate(self->pcap, iface, error);
	if (number != 0)
		goto fail;
	self->whole = whole_open(pcap_get_selectable_fd(self->pcap));
	return &self->receiver;
fail:
	if (self->pcap != NULL)
		pcap_close(self->pcap);
	free(self);
	errno = number;
	return NULL;
}

const char *
io_pcap_version(void)
{
	return pcap_lib_version();
}
