/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as what the last director left: text, and behind a 0 records of flows and clients, whose checksums are made
 * right. Whatever they say, each flow that is taken over is on a server that exists, and is counted there once.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "forward/forward.h"
#include "forward/handover.h"

#define NOW SECONDS(100000)
#define FLOWS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
	struct model *model;
	struct forwarder forwarder;
	struct fwdtab *table;
	struct iface iface;
};

static void
insist(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void
watch(void *context, enum neigh_event event, enum neigh_reason reason, const struct neigh *neigh,
    const struct mac *other)
{
	(void)context;
	(void)event;
	(void)neigh;
	(void)reason;
	(void)other;
}

static void
compile(struct bench *bench)
{
	struct fwdtab *table = fwdtab_compile(bench->model, &bench->iface, 1, NOW);

	insist(table != NULL, "there is memory");
	fwdtab_free(bench->table);
	bench->forwarder.table = bench->table = table;
}

static void
configure(struct bench *bench)
{
	static char text[] = "[dsrd]\ninterface = eth0\n"
	    "[service web]\nlisten = 192.0.2.10 tcp/80\nlisten = 2001:db8::10 tcp/80\npersist = 30m\n"
	    "server = s1 192.0.2.101\nserver = s2 192.0.2.102 mac=02:00:00:00:00:12\n"
	    "[service dns]\nlisten = 192.0.2.10 udp/53\nscheduler = lblc\ncheck = none\nserver = s1 192.0.2.101\n";
	struct errlist *errors = errlist_new();
	FILE *in = fmemopen(text, sizeof(text) - 1, "r");
	struct conf conf;

	insist(errors != NULL && in != NULL && conf_read(in, "bench", &conf, errors) == 0,
	    "the configuration is right");
	insist(model_apply(bench->model, &conf.settings, NOW) == 0, "there is memory");
	conf_clear(&conf);
	errlist_free(errors);
	(void)fclose(in);
}

static void
bench_open(struct bench *bench)
{
	static const struct siphash_key key = { { 9 } };
	char error[256];

	memset(bench, 0, sizeof(*bench));
	(void)snprintf(bench->iface.name, sizeof(bench->iface.name), "eth0");
	bench->iface.mtu = 1500;
	insist(forwarder_init(&bench->forwarder, FLOWS, &key, watch, NULL, error, sizeof(error)) == 0,
	    "there is memory");
	bench->forwarder.ifaces = &bench->iface;
	bench->forwarder.iface_count = 1;
	bench->model = model_new();
	insist(bench->model != NULL, "there is memory");
	configure(bench);
	model_place(bench->model, &bench->iface, 1);
	neigh_begin(bench->forwarder.neighbors);
	for (size_t i = 0; i < bench->model->slot_count; i++)
		insist(neigh_want(bench->forwarder.neighbors, 0, &bench->model->slots[i]->settings.addr, NEIGHBOR_PROVE,
		    NOW) == 0, "there is memory");
	neigh_end(bench->forwarder.neighbors);
	compile(bench);
}

static void
count_on_server(void *context, const struct conn *conn)
{
	const struct bench *bench = context;

	insist(model_server(bench->model, conn->server) != NULL, "a flow's server exists");
}

static void
check(struct bench *bench, const struct handover_counts *counts)
{
	uint64_t flows = 0;

	for (size_t i = 0; i < bench->model->slot_count; i++)
		flows += admin_flows(bench->model->slots[i]);
	conn_each(bench->forwarder.conns, count_on_server, bench);
	conn_each(bench->forwarder.persist, count_on_server, bench);
	insist(flows == conn_table_count(bench->forwarder.conns) && flows == counts->flows,
	    "each flow is counted once");
	insist(counts->servers <= 3 && counts->up <= counts->servers && counts->admin <= counts->servers,
	    "no server is made up");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	const uint8_t *zero = memchr(data, 0, size);
	const size_t length = zero != NULL ? (size_t)(zero - data) : size;
	char *text = malloc(length + 1);
	struct handover *handover;

	insist(text != NULL, "there is memory");
	memcpy(text, data, length);
	text[length] = '\0';
	bench_open(&bench);
	handover = handover_read(text, length, bench.model, &bench.forwarder, true, NOW);
	insist(handover != NULL, "there is memory");
	compile(&bench);
	handover_begin(handover);
	for (size_t at = length + 1; at + sizeof(struct conn_record) <= size; at += sizeof(struct conn_record)) {
		struct conn_record record;
		struct conn_saved saved;

		memcpy(&record, data + at, sizeof(record));
		record.check = conn_record_check(&record);
		if (!conn_record_read(&record, &saved))
			continue;
		handover_flow(handover, &saved, NOW);
		handover_client(handover, &saved, NOW);
	}
	check(&bench, handover_counts(handover));
	handover_free(handover);
	forwarder_clear(&bench.forwarder);
	fwdtab_free(bench.table);
	model_free(bench.model);
	free(text);
	return 0;
}
