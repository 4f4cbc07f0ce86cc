/* SPDX-License-Identifier: ISC */
/*
 * A director on a bench: a model made by hand, a forwarder, and an tx that remembers. Frames are put together here
 * byte by byte, not by the code under test.
 *
 * One interface, eth0 (02:00:00:00:00:01, 192.0.2.1/24, MTU 1500), a second, eth1 (02:00:00:00:01:01, 198.51.100.1/24).
 * The VIP is 192.0.2.10, with service "web" on TCP 80 and service "dns" on UDP 53 where asked for. Server number n
 * (from 1 on) is 192.0.2.(100 + n) with MAC 02:00:00:00:00:(0x10 + n).
 */
#ifndef TESTS_UNIT_SCENE_H
#define TESTS_UNIT_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/duration.h"
#include "forward/forward.h"
#include "proto/packet.h"

#define SCENE_SENT 64
#define SCENE_FLOWS 8192
#define SCENE_START SECONDS(1000)
#define CLIENT_MAC "02:00:00:00:00:99"
#define VIP "192.0.2.10"

struct sent {
	uint8_t bytes[2048]; /* of a longer frame the first ones */
	uint32_t length;
	uint16_t iface;
	struct frame left; /* what was left to the way out; its bytes are gone */
};

struct scene {
	struct settings settings; /* to be filled before scene_begin() or scene_change() */
	struct model *model;
	struct fwdtab *table;
	struct forwarder forwarder;
	struct iface ifaces[2];
	uint64_t now;
	unsigned takes; /* what may be left to eth0: TX_CHECKSUM, TX_SEGMENTS */
	struct sent sent[SCENE_SENT]; /* the last ones, from the beginning after scene_forget() */
	size_t sent_count;
	bool discards; /* what is sent is not remembered */
	unsigned neighbor_events[5]; /* by enum neigh_event */
	uint8_t bytes[FRAME_MOST];
};

/* An empty scene: no service yet. */
void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
struct service_settings *scene_add_service(struct scene *scene, const char *name, uint8_t protocol, uint16_t port,
    const char *scheduler);
/* One more address and range of ports. */
void scene_listen(struct service_settings *service, const char *vip, uint8_t protocol, uint16_t first, uint16_t last);
/* Adds server `number`, with the MAC in its settings unless `ask`. */
struct server_settings *scene_add_server(struct service_settings *service, unsigned number, uint32_t weight, bool ask);
/* Applies the settings, takes every server for up, compiles. May be called again with other settings: a reload. */
void scene_apply(struct scene *scene);
/* Compiles again after the test changed the model. */
void scene_compile(struct scene *scene);
struct server *scene_server(const struct scene *scene, const char *service, const char *server);
void scene_forget(struct scene *scene);

/*
 * What a test frame says, IPv4 or IPv6 by the addresses; zero members mean the usual: from CLIENT_MAC and 203.0.113.7
 * to the director and the VIP.
 */
struct shape {
	const char *from_mac;
	const char *to_mac;
	const char *from;
	const char *to;
	uint16_t from_port; /* 40000 */
	uint16_t to_port;   /* 80 */
	uint8_t protocol;   /* TCP */
	uint8_t flags;      /* TCP flags */
	uint32_t sequence;  /* of the first octet, a SYN's own is one less; 1000 */
	uint32_t acknowledgement;
	/* as in the IPv4 header: flags and offset in 8 bytes; in IPv6 a fragment header says the same */
	uint16_t fragment;
	uint16_t id;        /* of the datagram */
	uint16_t vlan;      /* 802.1Q tag; 0: none */
	/* instead of a transport header and payload: `payload` bytes of this; ICMP gets its checksum */
	const uint8_t *raw;
	uint32_t payload;   /* bytes behind the transport header */
	uint16_t iface;
	uint8_t ttl;        /* 64; or hop limit, 255 */
	bool unfinished;    /* the transport checksum is only the pseudo-header's sum */
};

/* Builds the frame in scene->bytes. Checksums are right unless `unfinished`. */
struct frame scene_frame(struct scene *scene, const struct shape *shape);
struct decision scene_send(struct scene *scene, const struct shape *shape);
/*
 * A TCP segment of the client at 203.0.113.7:`port` to VIP port 80; the name of the server it went to, or the
 * verdict.
 */
const char *scene_tcp(struct scene *scene, uint16_t port, uint8_t flags);
const char *scene_went(const struct decision *decision);
/* An ARP frame. Texts of MACs and addresses. */
struct decision scene_arp(struct scene *scene, const char *ether_from, const char *ether_to, uint16_t operation,
    const char *sender_mac, const char *sender, const char *target);

struct mac scene_mac(const char *text);
struct addr scene_addr(const char *text);

/* That a frame has this address in these bytes. */
#define assert_mac(found, text) \
	do { \
		const struct mac expected_mac = scene_mac(text); \
		ck_assert_mem_eq(found, expected_mac.bytes, 6); \
	} while (0)
#define assert_ipv4(found, text) \
	do { \
		const struct addr expected_addr = scene_addr(text); \
		ck_assert_mem_eq(found, expected_addr.bytes, 4); \
	} while (0)

#endif
