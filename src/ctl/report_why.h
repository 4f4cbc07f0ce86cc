/* SPDX-License-Identifier: ISC */
/* `dsrctl why`: the decision about one flow, step by step. */
#ifndef CTL_REPORT_WHY_H
#define CTL_REPORT_WHY_H

#include "base/attr.h"
#include "ctl/report.h"
#include "forward/explain.h"

#define WHY_ERROR 256

/*
 * Reads "tcp", "203.0.113.7:40000" and "192.0.2.10:80", or "[2001:db8::7]:40000". 0, or -1 with a sentence that names the
 * word that is wrong.
 */
NODISCARD int why_parse(const char *protocol, const char *from, const char *to, struct flow_question *question,
    char error[WHY_ERROR]);
/* 0, or -1 when memory is out. `*forwarded`: would the packet reach a server? */
NODISCARD int report_flow_why(struct writer *writer, const struct report_facts *facts,
    const struct flow_question *question, bool *forwarded);

#endif
