/* SPDX-License-Identifier: ISC */
/*
 * The same frames give the same results whether dsrd forwards them all or decided flows are offloaded for it: plays a
 * golden case both ways and compares every frame that leaves, every counter and every server's figures.
 *
 *     offloaded [--kernel tc|xdp] CASE-DIRECTORY
 *
 * What decides is offload/decide.h compiled for this machine, or with --kernel the programs as the kernel runs them,
 * which needs privilege (77: not to be had). Prints how many frames were offloaded.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/offload/offload_shared.h"
#include "base/attr.h"
#include "base/errlist.h"
#include "daemon/replay.h"
#include "offload/bpf_offload.h"
#include "proto/checksum.h"

#define SKIPPED 77
#define IFINDEX 1 /* as bpf_offload_try() has it */

static struct offload_bucket *
offload_bucket_at(uint32_t number)
{
	return number < shared.bucket_count ? &shared.buckets[number] : NULL;
}

struct play {
	struct replay replay;
	struct bpf_offload *kernel; /* NULL: the core compiled here decides */
	bool xdp;
	struct offload_cache *offload;
	uint64_t offloaded;
};

static bool
decide(struct frame *frame, uint64_t now)
{
	static uint8_t bytes[FRAME_MOST + ENCAP_HEADER_MOST];
	struct view view = { bytes, frame->length };
	struct offload_frame seen = { .source = &view, .length = frame->length, .ifindex = IFINDEX, .now = now * 1000,
		.only_back = true, .sums_unknown = true };
	struct offload_head head;
	struct offload_hand hand;

	memset(&head, 0, sizeof(head));
	memcpy(bytes, frame->bytes, frame->length);
	if (!offload_decide(&seen, shared.control, &head, &hand) || !shared_leave(&view, &hand))
		return false;
	*frame = frame_of(bytes, view.length, frame->iface);
	return true;
}

/* What makes an unfinished checksum one is not in a savefile; the kernel knows it, and finishes it when it must. */
static bool
is_unfinished(const struct frame *frame)
{
	static uint8_t bytes[FRAME_MOST];
	struct frame copy = *frame;
	struct packet packet;

	memcpy(bytes, frame->bytes, frame->length);
	copy.bytes = bytes;
	return packet_parse(&copy, &packet) == PACKET_OK && packet.has_ports && checksum_complete(&copy, &packet);
}

/* The kernel stamps a flow with its own clock; the daemon here goes by the savefile's: gives the stamp in that. */
static void
restamp(uint64_t now, const uint64_t *counts)
{
	for (uint32_t i = 0; i < shared.bucket_count * OFFLOAD_WAYS; i++) {
		struct offload_flow *flow = &shared.buckets[i / OFFLOAD_WAYS].ways[i % OFFLOAD_WAYS];

		if (flow->count != counts[i])
			flow->seen = (uint32_t)(now * 1000 >> OFFLOAD_TIME_SHIFT);
	}
}

static bool
offloaded_by_kernel(struct play *play, struct frame *frame, uint64_t now)
{
	static uint8_t bytes[FRAME_MOST + ENCAP_HEADER_MOST];
	uint64_t *counts = calloc((size_t)shared.bucket_count * OFFLOAD_WAYS, sizeof(*counts));
	uint32_t length = frame->length;
	bool offloaded;

	if (counts == NULL)
		abort();
	for (uint32_t i = 0; i < shared.bucket_count * OFFLOAD_WAYS; i++)
		counts[i] = shared.buckets[i / OFFLOAD_WAYS].ways[i % OFFLOAD_WAYS].count;
	memcpy(bytes, frame->bytes, length);
	offloaded = bpf_offload_try(play->kernel, play->xdp, bytes, &length);
	if (offloaded) {
		restamp(now, counts);
		*frame = frame_of(bytes, length, frame->iface);
	}
	free(counts);
	return offloaded;
}

/* The kernel's clock is another one than the savefile's. */
struct learning {
	struct play *play;
	uint64_t now;
};

static void
learn(void *context, const struct select_record *record)
{
	const struct learning *learning = context;
	struct select_record dated = *record;

	dated.now = learning->now * 1000;
	forward_learn(&learning->play->replay.director.forwarder, &dated);
}

static void
learn_all(struct play *play, uint64_t now)
{
	struct learning learning = { play, now };

	if (play->kernel != NULL)
		bpf_offload_read(play->kernel, UINT32_MAX, learn, &learning);
	for (uint32_t i = 0; i < record_count; i++)
		learn(&learning, &records[i]);
	record_count = 0;
}

static bool
carries(void *context, struct frame *frame, uint64_t now)
{
	struct play *play = context;

	/* A frame that the capture cut is whole in the kernel; a golden case means that it is not. */
	if (frame->wire_length != frame->length || is_unfinished(frame))
		return false;
	if (play->kernel != NULL ? !offloaded_by_kernel(play, frame, now) : !decide(frame, now))
		return false;
	play->offloaded++;
	learn_all(play, now);
	play->replay.out->ops->send(play->replay.out, frame);
	return true;
}

static void
see_nothing(void *context UNUSED, const struct replayed *seen UNUSED)
{
}

static int
begin(struct play *play, const char *directory, const char *out)
{
	char path[1024], error[IO_ERROR];
	struct errlist *errors = errlist_new();
	struct conf conf;

	snprintf(path, sizeof(path), "%s/dsrd.conf", directory);
	if (errors == NULL || conf_load(path, &conf, errors) == -1)
		return -1;
	errlist_free(errors);
	snprintf(path, sizeof(path), "%s/in.pcap", directory);
	play->replay.each = see_nothing;
	play->replay.context = play;
	if (replay_open(&play->replay, path, out, &conf, error) == -1) {
		fprintf(stderr, "offloaded: %s\n", error);
		return -1;
	}
	conf_clear(&conf);
	return 0;
}

static int
share_memory(struct play *play, const char *kernel, uint32_t connections)
{
	char error[BPF_OFFLOAD_ERROR];

	if (kernel != NULL) {
		play->xdp = strcmp(kernel, "xdp") == 0;
		play->kernel = bpf_offload_open(connections, NULL, error);
		if (play->kernel == NULL) {
			fprintf(stderr, "offloaded: %s\n", error);
			return SKIPPED;
		}
		shared = *bpf_offload_memory(play->kernel);
		return 0;
	}
	return shared_open(offload_buckets(connections)) ? 0 : 1;
}

static int
begin_carrying(struct play *play, const char *kernel)
{
	struct forwarder *forwarder = &play->replay.director.forwarder;
	static const struct siphash_key secret = { { 7 } };
	const uint32_t connections = conn_table_capacity(forwarder->conns);
	const int status = share_memory(play, kernel, connections);

	if (status != 0)
		return status;
	play->offload = offload_new(&shared, &secret, forwarder->conns, connections, &forwarder->stats);
	if (play->offload == NULL)
		return 1;
	forwarder->offload = play->offload;
	offload_iface(play->offload, 0, IFINDEX, true);
	play->replay.director.stale = true;
	director_refresh(&play->replay.director);
	play->replay.carries = carries;
	return 0;
}

static int
differs(const char *what, uint64_t alone, uint64_t offloaded)
{
	if (alone == offloaded)
		return 0;
	fprintf(stderr, "offloaded: %s: %" PRIu64 " without, %" PRIu64 " with\n", what, alone, offloaded);
	return 1;
}

static int
compare_servers(const struct server *a, const struct server *b)
{
	const struct server_run *x = a->run, *y = b->run;

	return differs("packets", x->packets, y->packets) + differs("bytes", x->bytes, y->bytes) +
	    differs("connections", x->connections, y->connections) + differs("active", x->active, y->active) +
	    differs("inactive", x->inactive, y->inactive) +
	    differs("response bytes", x->measure.response_bytes, y->measure.response_bytes) +
	    differs("retransmits", x->measure.retransmits, y->measure.retransmits) +
	    differs("completed", x->measure.completed, y->measure.completed) +
	    differs("jumps", x->measure.jumps, y->measure.jumps);
}

static int
compare(struct play *alone, struct play *offloaded)
{
	struct forward_stats *a = &alone->replay.director.forwarder.stats,
	    *b = &offloaded->replay.director.forwarder.stats;
	const struct model *x = alone->replay.director.model, *y = offloaded->replay.director.model;
	int wrong = 0;

	offload_sync(offloaded->replay.director.forwarder.offload, UINT32_MAX, offloaded->replay.director.now);
	wrong += differs("frames offloaded", b->offloaded, offloaded->offloaded);
	wrong += differs("frames without record", 0, b->unrecorded);
	printf("%" PRIu64 " selected ", b->selected);
	b->offloaded = b->offload_full = b->selected = 0;
	wrong += differs("flows", conn_table_count(alone->replay.director.forwarder.conns),
	    conn_table_count(offloaded->replay.director.forwarder.conns));
#define X(name, text) wrong += differs(#name, a->name, b->name);
	FORWARD_COUNTERS(X)
#undef X
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++)
		wrong += differs(drop_reason_name(reason), a->dropped[reason], b->dropped[reason]);
	for (size_t i = 0; i < x->slot_count; i++)
		if (x->slots[i] != NULL)
			wrong += compare_servers(x->slots[i], y->slots[i]);
	return wrong;
}

static int
end(struct play *play)
{
	char error[IO_ERROR];
	int result;

	offload_free(play->offload);
	play->replay.director.forwarder.offload = NULL;
	result = replay_close(&play->replay, error);
	bpf_offload_close(play->kernel);
	return result;
}

static int
compare_files(const char *one, const char *other)
{
	FILE *a = fopen(one, "rb"), *b = fopen(other, "rb");
	int x = 0, wrong = a == NULL || b == NULL;

	while (!wrong && x != EOF) {
		x = getc(a);
		wrong = x != getc(b);
	}
	if (wrong)
		fprintf(stderr, "offloaded: %s and %s are not the same\n", one, other);
	if (a != NULL)
		fclose(a);
	if (b != NULL)
		fclose(b);
	return wrong;
}

static int
play_both(const char *directory, const char *kernel, const char *one, const char *other)
{
	static struct play alone, offloaded;
	char error[IO_ERROR];
	int wrong;

	if (begin(&alone, directory, one) == -1 || begin(&offloaded, directory, other) == -1)
		return 1;
	wrong = begin_carrying(&offloaded, kernel);
	if (wrong != 0)
		return wrong;
	/* How a savefile ends is the golden tests' matter: some are cut, here both. */
	wrong = replay_run(&alone.replay, error) != replay_run(&offloaded.replay, error);
	wrong += compare(&alone, &offloaded);
	printf("of %" PRIu64 " offloaded: %s\n", offloaded.offloaded, directory);
	if (end(&alone) == -1 || end(&offloaded) == -1)
		return 1;
	return wrong + compare_files(one, other);
}

int
main(int argc, char **argv)
{
	const char *kernel = argc == 4 && strcmp(argv[1], "--kernel") == 0 ? argv[2] : NULL;
	char one[] = "/tmp/offloaded.XXXXXX", other[] = "/tmp/offloaded.XXXXXX";
	const int first = mkstemp(one), second = mkstemp(other);
	int wrong = 1;

	if (argc == (kernel != NULL ? 4 : 2) && first != -1 && second != -1)
		wrong = play_both(argv[argc - 1], kernel, one, other);
	else
		fprintf(stderr, "usage: offloaded [--kernel tc|xdp] CASE-DIRECTORY\n");
	unlink(one);
	unlink(other);
	return wrong == 0 || wrong == SKIPPED ? wrong : 1;
}
