/* SPDX-License-Identifier: ISC */
/*
 * Savefiles of any kind that libpcap reads, as an engine like every other: offline runs use the same code as live ones.
 */
#include "config.h"

#include "io/io.h"

#include <errno.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

#define SNAPLEN 262144 /* MAXIMUM_SNAPLEN of libpcap and tcpdump: no frame of ours is longer */

struct file_receiver {
	struct receiver receiver; /* first: the ops get a pointer to it */
	pcap_t *pcap;
	uint64_t read; /* frames so far */
	int delivered; /* in this dispatch(): libpcap forgets them when the file ends among them */
	io_frame *deliver;
	void *context;
};

struct file_sender {
	struct sender sender; /* first, as above */
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	uint32_t seconds, microseconds; /* of the next frames; a savefile has 32 bits of each */
};

static void
deliver_record(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct file_receiver *self = (struct file_receiver *)(void *)user;
	struct frame frame = {
		/* libpcap's buffer on the heap; see deliver_frame() in io_pcap.c */
		.bytes = (uint8_t *)(uintptr_t)bytes,
		.length = header->caplen,
		/* A file may claim any length. */
		.wire_length = header->len > header->caplen ? header->len : header->caplen,
		.iface = self->receiver.iface,
	};
	/* OpenBSD's libpcap has two unsigned numbers of 32 bits here, others a struct timeval. */
	const int64_t seconds = header->ts.tv_sec;
	const uint64_t when = seconds < 0 ? 0 : SECONDS(seconds) + (uint64_t)header->ts.tv_usec;

	self->delivered++;
	self->read++;
	self->deliver(self->context, &frame, when);
}

static int
file_receiver_dispatch(struct receiver *receiver, int budget, io_frame *deliver, void *context, char error[IO_ERROR])
{
	struct file_receiver *self = (struct file_receiver *)receiver;
	int status;

	self->delivered = 0;
	self->deliver = deliver;
	self->context = context;
	status = pcap_dispatch(self->pcap, budget, deliver_record, (u_char *)self);
	if (status < 0) {
		(void)snprintf(error, IO_ERROR, "the savefile is damaged or was cut short after %llu frames: %s",
		    (unsigned long long)self->read, pcap_geterr(self->pcap));
		return -1;
	}
	/*
	 * At the end of the file libpcap returns 0, even if it delivered frames before. The next call returns 0 again.
	 */
	return self->delivered > 0 ? self->delivered : -2;
}

/* A regular file is always ready, and epoll refuses it: dispatch() until the end instead. */
static int
file_receiver_descriptor(struct receiver *receiver UNUSED)
{
	return -1;
}

static const struct timeval *
file_receiver_wait(struct receiver *receiver UNUSED)
{
	return NULL;
}

static int
file_receiver_filter(struct receiver *receiver UNUSED, const char *expression UNUSED, char error[IO_ERROR] UNUSED)
{
	/* Filters are an optimisation, and offline every frame of the file should be accounted for. */
	return 0;
}

static void
file_receiver_stats(struct receiver *receiver, struct receiver_stats *stats)
{
	stats->received = ((struct file_receiver *)receiver)->read;
	stats->dropped = 0;
}

static void
file_receiver_close(struct receiver *receiver)
{
	struct file_receiver *self = (struct file_receiver *)receiver;

	pcap_close(self->pcap);
	free(self);
}

static const struct receiver_ops file_receiver_ops = {
	.dispatch = file_receiver_dispatch,
	.descriptor = file_receiver_descriptor,
	.wait = file_receiver_wait,
	.filter = file_receiver_filter,
	.stats = file_receiver_stats,
	.close = file_receiver_close,
};

/* libpcap's messages start with the path only sometimes; ours always do. */
static const char *
without_path(const char *reason, const char *path)
{
	size_t length = strlen(path);

	if (strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0)
		return reason + length + 2;
	return reason;
}

struct receiver *
io_file_read(const char *path, uint16_t index, char error[IO_ERROR])
{
	char reason[PCAP_ERRBUF_SIZE];
	struct file_receiver *self = calloc(1, sizeof(*self));
	int link, number;

	if (self == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return NULL;
	}
	self->receiver.ops = &file_receiver_ops;
	self->receiver.iface = index;
	errno = 0;
	self->pcap = pcap_open_offline(path, reason);
	if (self->pcap == NULL) {
		number = errno != 0 ? errno : EINVAL;
		(void)snprintf(error, IO_ERROR, "cannot read savefile %.200s: %s", path, without_path(reason, path));
		free(self);
		errno = number;
		return NULL;
	}
	link = pcap_datalink(self->pcap);
	if (link != DLT_EN10MB) {
		const char *name = pcap_datalink_val_to_name(link);

		(void)snprintf(error, IO_ERROR,
		    "savefile %.200s has no Ethernet frames (its link type is %s): capture on an"
		    " Ethernet interface, not on \"any\" or a tunnel",
		    path, name != NULL ? name : "unknown");
		file_receiver_close(&self->receiver);
		errno = ENOTSUP;
		return NULL;
	}
	return &self->receiver;
}

static void
file_sender_send(struct sender *sender, const struct frame *frame)
{
	struct file_sender *self = (struct file_sender *)sender;
	struct pcap_pkthdr header = {.caplen = frame->length, .len = frame->length};

	header.ts.tv_sec = self->seconds;
	header.ts.tv_usec = self->microseconds;
	errno = 0;
	pcap_dump((u_char *)self->dumper, &header, frame->bytes);
	/* What fits the buffer succeeds here; a full disk shows at some later frame, or when the file is closed. */
	if (!ferror(pcap_dump_file(self->dumper))) {
		sender->stats.sent++;
		return;
	}
	sender->stats.failed++;
	if (errno != 0)
		sender->stats.last_errno = errno;
}

static void
file_sender_flush(struct sender *sender UNUSED)
{
	/* The file is for reading later: its buffer goes out when it is full. */
}

static int
file_sender_descriptor(struct sender *sender UNUSED)
{
	return -1;
}

static int
file_sender_close(struct sender *sender, char error[IO_ERROR])
{
	struct file_sender *self = (struct file_sender *)sender;
	int result = 0;

	/*
	 * pcap_dump_close() reports no error. The failure of an earlier write stays in ferror(), its reason in
	 * last_errno.
	 */
	if (pcap_dump_flush(self->dumper) != 0 && sender->stats.last_errno == 0)
		sender->stats.last_errno = errno;
	if (ferror(pcap_dump_file(self->dumper))) {
		(void)snprintf(error, IO_ERROR, "the savefile is incomplete: %s", strerror(sender->stats.last_errno));
		result = -1;
	}
	pcap_dump_close(self->dumper);
	pcap_close(self->pcap);
	free(self);
	return result;
}

static const struct sender_ops file_sender_ops = {
	.send = file_sender_send,
	.flush = file_sender_flush,
	.descriptor = file_sender_descriptor,
	.close = file_sender_close,
};

struct sender *
io_file_write(const char *path, char error[IO_ERROR])
{
	struct file_sender *self = calloc(1, sizeof(*self));
	int number;

	if (self == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return NULL;
	}
	self->sender.ops = &file_sender_ops;
	self->pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	if (self->pcap == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		free(self);
		errno = ENOMEM;
		return NULL;
	}
	errno = 0;
	self->dumper = pcap_dump_open(self->pcap, path);
	if (self->dumper == NULL) {
		number = errno != 0 ? errno : EIO;
		(void)snprintf(error, IO_ERROR, "cannot write savefile %.200s: %.256s", path,
		    without_path(pcap_geterr(self->pcap), path));
		pcap_close(self->pcap);
		free(self);
		errno = number;
		return NULL;
	}
	return &self->sender;
}

void
io_file_time(struct sender *sender, uint64_t when)
{
	struct file_sender *self = (struct file_sender *)sender;

	self->seconds = (uint32_t)(when / SECONDS(1));
	self->microseconds = (uint32_t)(when % SECONDS(1));
}
