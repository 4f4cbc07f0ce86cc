/* SPDX-License-Identifier: ISC */
/* The interface of a check type (TCP connect, HTTP, a script ...) to the checker, which does the scheduling. */
#ifndef CHECK_KIND_H
#define CHECK_KIND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/addr.h"
#include "base/attr.h"
#include "check/check.h"
#include "model/health.h"
#include "model/settings.h"

struct children;
struct event_base;
struct tls_contexts;

/* Reports the answer; once for each `begin`, unless `destroy` was called before. May be called within `begin`. */
typedef void check_answer(void *job, const struct check_report *report);

/* The target. It does not change during the runner's lifetime, which may keep the pointer. */
struct check_target {
	struct addr addr;
	uint16_t port; /* 0 where the type has none */
	struct timeval timeout;
	struct check_settings check;
	/* For scripts, passed as arguments. Empty for all others. */
	char service[NAME_MOST];
	char server[NAME_MOST];
	struct addr vip;
	uint16_t service_port;
	/* What all runners of a checker share. */
	struct event_base *base;
	struct children *children;
	struct tls_contexts *tls;
	check_answer *answer;
	void *job; /* the argument of `answer` */
};

struct check_type {
	/* A runner, or NULL when memory is out. */
	void *(*create)(const struct check_target *target);
	/* Gives up what is under way. */
	void (*destroy)(void *runner);
	/* Never called while an answer is outstanding. */
	void (*begin)(void *runner);
};

extern const struct check_type check_tcp;
extern const struct check_type check_http; /* https too */
extern const struct check_type check_icmp;
extern const struct check_type check_dns;
extern const struct check_type check_udp;
extern const struct check_type check_script;

/* Reports the result: a reason, and a detail ("status 503") or NULL. This may free the runner: do not use it afterwards. */
void check_report_result(const struct check_target *target, enum health_reason reason, const char *detail);

#endif
