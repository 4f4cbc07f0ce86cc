/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "vipcheck_bench.h"

#include <check.h>
#include <string.h>

#include "base/bytes.h"

struct vipcheck_bench bench;

static void
count_news(void *context, const struct vipcheck *check, enum vipcheck_verdict before)
{
	(void)context;
	(void)check;
	(void)before;
	bench.news++;
}

void
bench_sync(void)
{
	ck_assert_int_eq(vipcheck_sync(bench.scene.forwarder.vipchecks, bench.scene.model, true, bench.scene.now), 0);
}

struct service_settings *
bench_open(uint8_t protocol)
{
	struct service_settings *service;

	scene_open(&bench.scene);
	bench.news = 0;
	vipcheck_table_on_news(bench.scene.forwarder.vipchecks, count_news, NULL);
	service = scene_add_service(&bench.scene, "web", protocol, 80, "rr");
	service->interval = SECONDS(2);
	service->timeout = SECONDS(1);
	scene_add_server(service, 1, 1, false);
	return service;
}

void
bench_begin(void)
{
	bench_open(PROTOCOL_TCP);
	scene_apply(&bench.scene);
	bench_sync();
}

void
bench_end(void)
{
	scene_close(&bench.scene);
}

const struct vipcheck *
bench_check(void)
{
	ck_assert_uint_eq(vipcheck_count(bench.scene.forwarder.vipchecks), 1);
	return vipcheck_at(bench.scene.forwarder.vipchecks, 0);
}

struct server *
bench_server(void)
{
	return scene_server(&bench.scene, "web", "s1");
}

void
bench_probe_for(uint64_t limit)
{
	const uint64_t end = bench.scene.now + limit;

	scene_forget(&bench.scene);
	while (bench.scene.sent_count == 0 && bench.scene.now < end) {
		bench.scene.now += MILLISECONDS(10);
		forward_vipcheck(&bench.scene.forwarder, bench.scene.now);
	}
}

const uint8_t *
bench_sent_to(const char *to, uint8_t protocol, uint16_t what)
{
	const struct addr addr = scene_addr(to);

	for (size_t i = 0; i < bench.scene.sent_count; i++) {
		const uint8_t *bytes = bench.scene.sent[i].bytes;
		const uint16_t port = protocol == PROTOCOL_ICMP ? bytes[34] : load16(bytes + 36);

		if (load16(bytes + 12) == ETHERTYPE_IPV4 && bytes[23] == protocol &&
		    memcmp(bytes + 30, addr.bytes, 4) == 0 && port == what)
			return bytes;
	}
	return NULL;
}

struct decision
bench_answer(const uint8_t *probe, const char *from, const char *mac, uint8_t flags)
{
	char to[ADDR_TEXT];
	const struct addr source = addr_from_ipv4(probe + 26);
	const struct shape shape = { .from_mac = mac, .from = from, .to = addr_format(&source, to),
		.from_port = load16(probe + 36), .to_port = load16(probe + 34), .flags = flags };
	struct frame frame = scene_frame(&bench.scene, &shape);

	store32(bench.scene.bytes + 42, load32(probe + 38) + 1);
	return forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
}

/* A frame of ICMP from there to who asked. */
static struct frame
icmp_answer(const uint8_t *probe, const char *from, uint32_t payload)
{
	char to[ADDR_TEXT];
	const struct addr source = addr_from_ipv4(probe + 26);
	const struct shape shape = { .from_mac = SERVER_MAC, .from = from, .to = addr_format(&source, to),
		.protocol = PROTOCOL_ICMP, .payload = payload };

	return scene_frame(&bench.scene, &shape);
}

void
bench_answer_error(const uint8_t *probe, const char *from, uint8_t code)
{
	struct frame frame = icmp_answer(probe, from, 28);

	memset(bench.scene.bytes + 34, 0, 8);
	bench.scene.bytes[34] = 3;
	bench.scene.bytes[35] = code;
	memcpy(bench.scene.bytes + 42, probe + 14, 28);
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
}

void
bench_redirect(const uint8_t *probe, const char *from)
{
	struct frame frame = icmp_answer(probe, from, 28);

	memset(bench.scene.bytes + 34, 0, 8);
	bench.scene.bytes[34] = 5; /* RFC 792: for the host, to the gateway ... */
	bench.scene.bytes[35] = 1;
	store32(bench.scene.bytes + 38, 0xc0000201);
	memcpy(bench.scene.bytes + 42, probe + 14, 28);
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
}

void
bench_answer_ping(const uint8_t *probe, const char *from)
{
	struct frame frame = icmp_answer(probe, from, 24);

	memset(bench.scene.bytes + 34, 0, 4);
	memcpy(bench.scene.bytes + 38, probe + 38, 4 + 24);
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
}

const uint8_t *
bench_keep(const uint8_t *bytes)
{
	ck_assert_ptr_nonnull(bytes);
	memcpy(bench.probe, bytes, sizeof(bench.probe));
	return bench.probe;
}

const uint8_t *
bench_await_syn(void)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		bench_probe_for(SECONDS(4));
		/* Beside its control it is the same SYN once more. */
		if (bench_sent_to(VIP, PROTOCOL_TCP, 80) != NULL && bench_sent_to(SERVER, PROTOCOL_TCP, 80) == NULL)
			return bench_keep(bench_sent_to(VIP, PROTOCOL_TCP, 80));
	}
	ck_abort_msg("no SYN was sent");
	return NULL;
}

void
bench_answer_own(uint8_t flags)
{
	bench_answer(bench_keep(bench_sent_to(SERVER, PROTOCOL_TCP, 80)), SERVER, SERVER_MAC, flags);
}

enum vipcheck_verdict
bench_reset_and(uint8_t flags)
{
	const uint8_t *syn = bench_await_syn();

	scene_forget(&bench.scene);
	bench_answer(syn, VIP, SERVER_MAC, TCP_RST | TCP_ACK);
	bench_answer_own(flags);
	bench_await_syn();
	return bench_check()->verdict;
}

void
bench_probe_addr(void)
{
	const struct addr addrs[PROBE_ADDRESSES] = { scene_addr(PROBE) };

	probe_addr_set(&bench.scene.forwarder.probe_addrs, addrs, bench.scene.ifaces, 2, bench.scene.now);
}

void
bench_pass(uint64_t time)
{
	for (uint64_t end = bench.scene.now + time; bench.scene.now < end; bench.scene.now += MILLISECONDS(50)) {
		scene_forget(&bench.scene);
		forward_vipcheck(&bench.scene.forwarder, bench.scene.now);
	}
}
