/* SPDX-License-Identifier: ISC */
/* The report about other directors: dsrctl show peers, and its part of the status. */
#ifndef CTL_REPORT_PEERS_H
#define CTL_REPORT_PEERS_H

#include "ctl/report.h"
#include "ctl/writer.h"

void report_peers(struct writer *writer, const struct report_facts *facts);

#endif
