/* SPDX-License-Identifier: ISC */
/* The VIP probe on the bench: probes are read off the wire byte by byte, answers are put together by hand. */
#ifndef TESTS_UNIT_VIPCHECK_BENCH_H
#define TESTS_UNIT_VIPCHECK_BENCH_H

#include "../scene/scene.h"
#include "vipcheck/vipcheck.h"

#define OWN "192.0.2.1"
#define PROBE "192.0.2.250"
#define SERVER "192.0.2.101"
#define SERVER_MAC "02:00:00:00:00:11"
#define DIRECTOR_MAC "02:00:00:00:00:01"

struct vipcheck_bench {
	struct scene scene;
	unsigned news;          /* how often a check's verdict changed */
	uint8_t probe[2048]; /* bench_keep() */
};

extern struct vipcheck_bench bench; /* one test's */

/* One server of a service on port 80, asked every two seconds with a timeout of one, rise 2, fall 3. */
struct service_settings *bench_open(uint8_t protocol);
void bench_sync(void); /* after scene_apply() */
/* A fixture: such a service of TCP, ready to be asked. */
void bench_begin(void);
void bench_end(void);
const struct vipcheck *bench_check(void); /* the only one */
struct server *bench_server(void);

/* Lets time pass until the probe has sent something, or `limit` is over. */
void bench_probe_for(uint64_t limit);
void bench_pass(uint64_t time);
/* The frame that went to `to`, of that protocol and destination port (TCP, UDP) or type (ICMP). */
const uint8_t *bench_sent_to(const char *to, uint8_t protocol, uint16_t what);
/* A copy of a frame, in bench.probe, since answers make frames be sent. */
const uint8_t *bench_keep(const uint8_t *bytes);
/* Waits for the next round's SYN to the VIP's port, and keeps it. */
const uint8_t *bench_await_syn(void);

struct decision bench_answer(const uint8_t *probe, const char *from, const char *mac, uint8_t flags);
/* The answer of the server's own address, to the SYN that it was just sent. */
void bench_answer_own(uint8_t flags);
/* An ICMP error about `probe`, quoting it as RFC 792 wants: the IP header and 8 bytes. */
void bench_answer_error(const uint8_t *probe, const char *from, uint8_t code);
/* A redirect to a router, from `from` with the server's MAC, about `probe`. */
void bench_redirect(const uint8_t *probe, const char *from);
void bench_answer_ping(const uint8_t *probe, const char *from);
/* A reset from the VIP, then the own address says `flags`. What that proves. */
enum vipcheck_verdict bench_reset_and(uint8_t flags);
/* Wants the address PROBE, which is not ours before time has passed. */
void bench_probe_addr(void);

#endif
