/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as what the last director left: text, and behind a 0 records of flows and clients, whose checksums are made
 * right. Whatever they say, each flow that is taken over is on a server that exists, and is counted there once.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forward/handover.h"
#include "tables.h"

#define NOW SECONDS(100000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] = "[dsrd]\ninterface = eth0\n"
    "[service web]\nlisten = 192.0.2.10 tcp/80\nlisten = 2001:db8::10 tcp/80\npersist = 30m\n"
    "server = s1 192.0.2.101\nserver = s2 192.0.2.102 mac=02:00:00:00:00:12\n"
    "[service dns]\nlisten = 192.0.2.10 udp/53\nscheduler = lblc\ncheck = none\nserver = s1 192.0.2.101\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tables tables;
	const uint8_t *zero = memchr(data, 0, size);
	const size_t length = zero != NULL ? (size_t)(zero - data) : size;
	char *text = malloc(length + 1);
	const struct handover_counts *counts;
	struct handover *handover;

	insist(text != NULL, "there is memory");
	memcpy(text, data, length);
	text[length] = '\0';
	tables_open(&tables, configuration, NOW);
	handover = handover_read(text, length, tables.model, &tables.forwarder, true, NOW);
	insist(handover != NULL, "there is memory");
	tables_compile(&tables, NOW);
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
	counts = handover_counts(handover);
	insist(tables_check(&tables) == counts->flows, "what was taken over is in the table");
	insist(counts->servers <= 3 && counts->up <= counts->servers && counts->admin <= counts->servers,
	    "no server is made up");
	handover_free(handover);
	tables_close(&tables);
	free(text);
	return 0;
}
