/* SPDX-License-Identifier: ISC */
/* A director's tables in memory, for what enters flows into them: the state of another process, or another director. */
#ifndef TESTS_FUZZ_TABLES_H
#define TESTS_FUZZ_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "forward/forward.h"

#define TABLES_FLOWS 256

struct tables {
	struct model *model;
	struct forwarder forwarder;
	struct fwdtab *table;
	struct iface iface;
};

/* Aborts unless `what` holds. */
void insist(bool holds, const char *what);
/* With the configuration `text`, and every server's MAC address wanted. */
void tables_open(struct tables *tables, const char *text, uint64_t now);
void tables_close(struct tables *tables);
/* After the model has changed. */
void tables_compile(struct tables *tables, uint64_t now);
/* Each flow and client is on a server that exists, and is counted there once. How many flows. */
uint64_t tables_check(struct tables *tables);

#endif
