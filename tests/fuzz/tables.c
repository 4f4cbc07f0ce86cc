/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "conf/conf.h"

void
insist(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void
watch(void *context UNUSED, enum neigh_event event UNUSED, enum neigh_reason reason UNUSED,
    const struct neigh *neigh UNUSED, const struct mac *other UNUSED)
{
}

static void
tables_configure(struct tables *tables, const char *text, uint64_t now)
{
	struct errlist *errors = errlist_new();
	char *copy = strdup(text);
	FILE *in = copy == NULL ? NULL : fmemopen(copy, strlen(copy), "r");
	struct conf conf;

	insist(errors != NULL && in != NULL && conf_read(in, "bench", &conf, errors) == 0, "the configuration is right");
	insist(model_apply(tables->model, &conf.settings, now) == 0, "there is memory");
	conf_clear(&conf);
	errlist_free(errors);
	(void)fclose(in);
	free(copy);
}

void
tables_compile(struct tables *tables, uint64_t now)
{
	struct fwdtab *table = fwdtab_compile(tables->model, &tables->iface, 1, now);

	insist(table != NULL, "there is memory");
	fwdtab_free(tables->table);
	tables->forwarder.table = tables->table = table;
}

void
tables_open(struct tables *tables, const char *text, uint64_t now)
{
	static const struct siphash_key key = { { 9 } };
	char error[256];

	memset(tables, 0, sizeof(*tables));
	(void)snprintf(tables->iface.name, sizeof(tables->iface.name), "eth0");
	tables->iface.mtu = 1500;
	insist(forwarder_init(&tables->forwarder, TABLES_FLOWS, &key, watch, NULL, error, sizeof(error)) == 0,
	    "there is memory");
	tables->forwarder.ifaces = &tables->iface;
	tables->forwarder.iface_count = 1;
	tables->model = model_new();
	insist(tables->model != NULL, "there is memory");
	tables_configure(tables, text, now);
	model_place(tables->model, &tables->iface, 1);
	neigh_begin(tables->forwarder.neighbors);
	for (size_t i = 0; i < tables->model->slot_count; i++)
		insist(neigh_want(tables->forwarder.neighbors, 0, &tables->model->slots[i]->settings.addr, NEIGHBOR_PROVE,
		    now) == 0, "there is memory");
	neigh_end(tables->forwarder.neighbors);
	tables_compile(tables, now);
}

void
tables_close(struct tables *tables)
{
	forwarder_clear(&tables->forwarder);
	fwdtab_free(tables->table);
	model_free(tables->model);
}

static void
tables_check_server(void *context, const struct conn *conn)
{
	const struct tables *tables = context;

	insist(model_server(tables->model, conn->server) != NULL, "a flow's server exists");
}

uint64_t
tables_check(struct tables *tables)
{
	uint64_t flows = 0;

	for (size_t i = 0; i < tables->model->slot_count; i++)
		flows += admin_flows(tables->model->slots[i]);
	conn_each(tables->forwarder.conns, tables_check_server, tables);
	conn_each(tables->forwarder.persist, tables_check_server, tables);
	insist(flows == conn_table_count(tables->forwarder.conns), "each flow is counted once");
	return flows;
}
