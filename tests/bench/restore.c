/* SPDX-License-Identifier: ISC */
/*
 * What it costs that a restart loses nothing: time of a new flow without and with a record of it, size of a record,
 * and how long a start takes that finds a million flows. All in processor time. Usage: restore [DIRECTORY [FLOWS]];
 * the state file is written there, which should be a file system in memory, as /run is.
 */
#include "config.h"

#include <sys/stat.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "daemon/state_file.h"
#include "forward/handover.h"
#include "proto/packet.h"

#define FLOWS 1000000
#define SERVERS 20

/* Of this process alone: other work on the machine is not its cost. */
static uint64_t
spent(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return SECONDS(time.tv_sec) + (uint64_t)time.tv_nsec / 1000;
}

static uint64_t
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return SECONDS(time.tv_sec) + (uint64_t)time.tv_nsec / 1000;
}

static void
give_up(const char *what)
{
	fprintf(stderr, "restore: %s\n", what);
	exit(EXIT_FAILURE);
}

static void
ignore(void *context UNUSED, const struct frame *frame UNUSED)
{
}

static unsigned
take_nothing(void *context UNUSED, uint16_t iface UNUSED)
{
	return 0;
}

/* One service of SERVERS servers, as a director has it that has just been started. */
static void
open_director(struct director *director, uint32_t flows)
{
	static const struct siphash_key key = { { 4, 5, 6 } };
	const struct frame_tx tx = { ignore, NULL, take_nothing };
	struct errlist *errors = errlist_new();
	char text[4096], error[256];
	struct conf conf;
	size_t length;
	FILE *in;

	length = (size_t)snprintf(text, sizeof(text), "[dsrd]\ninterface = eth0\n[service web]\nlisten = 192.0.2.10 "
	    "tcp/80\n"
	    "check = none\nvip-check = off\n");
	for (unsigned i = 0; i < SERVERS; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "server = web%u 192.0.2.%u "
		    "mac=02:00:00:00:00:%02x\n",
		    i, 100 + i, 1 + i);
	in = fmemopen(text, length, "r");
	if (errors == NULL || in == NULL || conf_read(in, "bench", &conf, errors) == -1) {
		if (errors != NULL)
			errlist_print(errors, stderr);
		give_up("the configuration is refused");
	}
	(void)fclose(in);
	if (director_init(director, flows, &key, &tx, error, sizeof(error)) == -1)
		give_up(error);
	(void)director_iface(director, "eth0");
	if (director_apply(director, &conf.settings, now()) == -1)
		give_up("out of memory");
	conf_clear(&conf);
	errlist_free(errors);
}

/* Flows of as many clients, on all servers in turn. Nanoseconds for each. */
static double
fill(struct director *director, uint32_t flows)
{
	const uint64_t began = spent(), time = now();
	const struct model *model = director->model;

	for (uint32_t i = 0; i < flows; i++) {
		const uint32_t spread = i * UINT32_C(2654435761);
		struct conn_key key = { .client_port = (uint16_t)(1024 + i % 50000), .vip_port = 80 };

		key.client[10] = key.client[11] = 0xff;
		memcpy(key.client + 12, &spread, sizeof(spread));
		key.target = conn_target(model->vips[0].number, PROTOCOL_TCP);
		if (conn_insert(director->forwarder.conns, &key, model->services[0]->servers[i % SERVERS]->ref,
		    CONN_ESTABLISHED,
		    MINUTES(15), time) == NULL)
			give_up("no room for a flow");
	}
	return (double)(spent() - began) * 1e3 / flows;
}

static void
empty(struct director *director, uint32_t flows)
{
	for (uint32_t i = 1; i <= flows; i++)
		conn_remove(director->forwarder.conns, conn_at(director->forwarder.conns, i));
}

static struct state_file *
begin_file(const struct director *director, const char *path)
{
	char error[STATE_ERROR], *text;
	struct state_file *file = state_file_create(path, conn_table_capacity(director->forwarder.conns),
	    conn_table_capacity(director->forwarder.persist), now(), error);
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (file == NULL)
		give_up(error);
	if (out == NULL || handover_write(out, director->model, director->ifaces, director->iface_count) == -1 ||
	    fclose(out) != 0 || state_file_write(file, text, length) == -1)
		give_up("the text is not written");
	free(text);
	conn_table_record(director->forwarder.conns, state_file_flows(file));
	if (state_file_publish(file, error) == -1)
		give_up(error);
	return file;
}

static uint32_t
restore(struct director *director, const char *path)
{
	struct handover *handover;
	struct conn_saved saved;
	char error[STATE_ERROR];
	struct state_old old;
	uint32_t flows;

	if (state_file_read(path, geteuid(), now(), &old, error) != STATE_READ)
		give_up(error);
	handover = handover_read(old.text, old.length, director->model, &director->forwarder, true, now());
	if (handover == NULL)
		give_up("out of memory");
	director->stale = true;
	director_refresh(director);
	handover_begin(handover);
	for (uint32_t i = 0; i < old.flow_count; i++)
		if (conn_record_read(&old.flows[i], &saved))
			handover_flow(handover, &saved, now());
	flows = handover_counts(handover)->flows;
	handover_free(handover);
	state_old_done(&old);
	return flows;
}

int
main(int argc, char *argv[])
{
	const char *directory = argc > 1 ? argv[1] : "/dev/shm";
	const uint32_t flows = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : FLOWS;
	static struct director plain, old, fresh;
	struct state_file *file;
	double without[2], with[2]; /* in memory that is new, and again */
	char path[256];
	struct stat status;
	uint64_t began, restored, written;

	if (snprintf(path, sizeof(path), "%s/dsrd-bench-%ld.state", directory, (long)getpid()) >= (int)sizeof(path))
		give_up("the path is too long");
	open_director(&plain, flows);
	without[0] = fill(&plain, flows);
	empty(&plain, flows);
	without[1] = fill(&plain, flows);
	director_clear(&plain);
	open_director(&old, flows);
	file = begin_file(&old, path);
	with[0] = fill(&old, flows);
	empty(&old, flows);
	with[1] = fill(&old, flows);
	printf("a new flow without a record     %8.0f ns, in memory that is new %8.0f ns\n", without[1], without[0]);
	printf("a new flow with a record        %8.0f ns, in memory that is new %8.0f ns\n", with[1], with[0]);
	if (stat(path, &status) == -1)
		give_up(path);
	printf("the file, for each flow         %8.1f bytes\n", (double)status.st_blocks * 512 / flows);
	/* As after SIGKILL: nothing more is written, and the lock is gone. */
	state_file_close(file);
	conn_table_record(old.forwarder.conns, NULL);
	director_clear(&old);
	open_director(&fresh, flows);
	began = spent();
	if (restore(&fresh, path) != flows)
		give_up("not all flows came back");
	restored = spent();
	file = begin_file(&fresh, path);
	written = spent();
	printf("%" PRIu32 " flows restored      %8.0f ms\n", flows, (double)(restored - began) / 1e3);
	printf("and written to the new file     %8.0f ms\n", (double)(written - restored) / 1e3);
	conn_table_record(fresh.forwarder.conns, NULL);
	state_file_close(file);
	director_clear(&fresh);
	(void)unlink(path);
	return EXIT_SUCCESS;
}
