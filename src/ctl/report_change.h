/* SPDX-License-Identifier: ISC */
/* What was changed, would be, or is in force: `dsrctl drain`, `weight`, `reload`, `show config`. */
#ifndef CTL_REPORT_CHANGE_H
#define CTL_REPORT_CHANGE_H

#include "base/attr.h"
#include "conf/conf.h"
#include "ctl/report.h"

/* The selected servers after a command; `changed`, by slot: which of them the command affected. */
void report_admin(struct writer *writer, const struct report_facts *facts, const bool *changed);
/* Each difference between two configurations, and what comes of it. 0, or -1 when memory is out. */
NODISCARD int report_plan(struct writer *writer, const struct report_facts *facts, const struct conf *before,
    const struct conf *after);
/* The configuration in force, and what differs from it by operators. 0, or -1 when memory is out. */
NODISCARD int report_config(struct writer *writer, const struct report_facts *facts, const struct conf *conf);
/* "drained; weight 5, the file says 3"; NULL when nothing differs from the file. */
#define DIFFERENCE_TEXT 320
const char *report_difference(const struct server *server, char text[DIFFERENCE_TEXT]);

#endif
