/* SPDX-License-Identifier: ISC */
/*
 * The interface of a check type (TCP connect, HTTP, a script ...) to the checker, which does the scheduling; and what
 * runners have in common: a socket connected to the server, what is awaited on it, and a deadline.
 */
#ifndef CHECK_RUNNER_H
#define CHECK_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include <event2/event.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "model/health.h"
#include "model/settings.h"

struct attempts;
struct children;
struct event_base;
struct tls_contexts;

/*
 * Reports the answer; once for each `begin`, unless runner_free() was called before. May be called within `begin`. NULL:
 * nothing is known about the server, because the process that made the attempt is gone.
 */
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
	struct attempts *attempts; /* of check_remote: the process that makes them */
	int (*ping)(void *context, const struct addr *addr); /* NULL: a raw socket is opened here */
	void *ping_context;
	bool once; /* one attempt alone, whose result another process judges */
	check_answer *answer;
	void *job; /* the argument of `answer` */
};

/* What every runner begins with. */
struct runner {
	const struct check_type *type;
	const struct check_target *target;
	int fd;                 /* -1: none */
	struct event *event;    /* of `fd`; NULL: nothing is awaited */
	struct event *deadline; /* of the whole check, whatever drips in */
	uint64_t due;           /* when that is */
	bool extended;          /* it was put off once */
	enum health_reason error; /* UDP: the last ICMP message; NONE: none, or an answer since */
	uint64_t error_at;
};

/* All functions but `begin` may be NULL. */
struct check_type {
	size_t size;       /* of its runners, which are zero behind the struct runner */
	bool keeps_socket; /* from one check to the next */
	void (*init)(void *runner);
	/* Never called while an answer is outstanding. */
	void (*begin)(void *runner);
	/* The deadline, or an error of the socket. NULL: runner_finish(). */
	void (*failed)(void *runner, enum health_reason reason, const char *detail);
	/* What a result means after those before. */
	enum health_reason (*judge)(struct runner *runner, enum health_reason reason);
	/* The answer to runner_ask(), perhaps not from the server's program. */
	void (*received)(void *runner, const uint8_t *bytes, size_t length);
	/* Gives up what is under way beside the event, the deadline and the socket. */
	void (*stop)(void *runner);
};

extern const struct check_type check_tcp;
extern const struct check_type check_http; /* https too */
extern const struct check_type check_icmp;
extern const struct check_type check_dns;
extern const struct check_type check_udp;
extern const struct check_type check_script;
extern const struct check_type check_remote; /* each that attempt_is_remote(), in another process */

/* Also for those that check_remote makes elsewhere. */
enum health_reason check_udp_judge(struct runner *runner, enum health_reason reason);
/* Not check_remote. */
const struct check_type *check_type_of(enum check_kind kind);
/* A runner of the type, or NULL when memory is out. */
NODISCARD void *runner_new(const struct check_type *type, const struct check_target *target);
/* Gives up what is under way. */
void runner_free(void *runner);

/* What follows may call back, and the runner may be freed by that: do not use it afterwards. */

/* Ends the check with a reason, and a detail ("status 503") or NULL. */
void runner_finish(void *runner, enum health_reason reason, const char *detail);
/* The same without ending anything: for checks that have nothing open. */
void runner_tell(const struct runner *runner, enum health_reason reason, int weight, const char *detail);
/* Ends the check without a result. */
void runner_drop(void *runner);
/* Ends the check for an error of its socket, perhaps with what the type makes of it. */
void runner_fail(void *runner, int error);
/* Starts to connect a socket of that type to the target. False when that has failed, and has been reported. */
bool runner_connect(void *runner, int type);
/* Sets the deadline. 0, or -1 when memory is out. */
NODISCARD int runner_limit(void *runner, const struct timeval *time);
/* From now on waits for `what` on the socket, until the deadline, which the first of these sets. */
void runner_await(void *runner, short what, event_callback_fn callback);
/* Sends a datagram from a port of the kernel's choice, a new one each time, and waits for answers. */
void runner_ask(void *runner, const uint8_t *bytes, size_t length);

static inline struct timeval
timeval_of(uint64_t microseconds)
{
	return (struct timeval) {
		.tv_sec = (time_t)(microseconds / SECONDS(1)),
		.tv_usec = (suseconds_t)(microseconds % SECONDS(1)),
	};
}

static inline uint64_t
timeval_us(const struct timeval *time)
{
	return SECONDS(time->tv_sec) + (uint64_t)time->tv_usec;
}

/* What connect(), recv() and SO_ERROR mean for a server's health: 0 is success. */
enum health_reason check_reason_of(int error);
/* What to add to HEALTH_REASON_LOCAL: the host's error, and where there is one the remedy. NULL for other reasons. */
const char *check_error_text(int error);
/*
 * Creates a socket of the address's family, nonblocking and close-on-exec, and starts connect(). Returns -1 with errno
 * set, or a descriptor: with errno EINPROGRESS, wait until it is writable, then call socket_error(); with errno 0 it is
 * connected.
 */
NODISCARD int socket_connect(const struct addr *addr, uint16_t port, int type, int protocol);
/* SO_ERROR, or the errno of getsockopt(). */
int socket_error(int fd);

#endif
