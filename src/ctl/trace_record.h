/* SPDX-License-Identifier: ISC */
/*
 * The stream of `dsrctl trace`: records, each a decision about one frame. It can be read without linking the director:
 * numbers are in network order, names are text.
 *
 *     stream    TRACE_MAGIC, then records
 *     record    u32 length of the rest, u8 kind, and by kind:
 *     skipped   u64 records left out here, because this end did not read as fast as frames came
 *     decision  u64 microseconds since 1970
 *               u8 flags: 1 the frame began a flow, 2 ports are known, 4 frames are missing below
 *               u8 family (0, 4, 6), 16 bytes client, 16 bytes VIP, u16 client's port, u16 VIP's port
 * four MAC addresses: source and destination as it came, source and destination as it left (zero: it did not)
 * seven texts: verdict, reason of a drop, protocol, service/server, state of the flow, interface it came by,
 *               interface it left by; each u8 length and bytes, empty where there is none
 * three texts: method by which it left, if that is not mac; kind of the tunnel in which it came; protocol of the packet
 *               in the tunnel
 *               u8 DSCP with which it left by method dscp
 *               u8 family (0, 4, 6), 16 bytes gateway by which it left
 * two ends:     u8 family (0, 4, 6), 16 bytes source, 16 bytes destination, u16 source port, u16 destination port,
 *               u8 1 if ports are known: of the outer IP header with which it left, and of the packet in the tunnel
 *               u8 number of frames; each u8 direction (0 came, 1 left), u32 bytes on the wire, u32 bytes here, bytes
 */
#ifndef CTL_TRACE_RECORD_H
#define CTL_TRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

#define TRACE_MAGIC "dsrdtr02"
#define TRACE_MAGIC_LENGTH (sizeof(TRACE_MAGIC) - 1)
#define TRACE_FRAMES 128           /* a super-frame leaves as some dozen segments */
#define TRACE_RECORD_MOST (4U << 16) /* bytes: a largest frame, as it came and as it left, twice over */
#define TRACE_TEXT 80

enum trace_kind {
	TRACE_SKIPPED = 1,
	TRACE_DECISION = 2
};

enum trace_text {
	TRACE_VERDICT = 0,
	TRACE_REASON,
	TRACE_PROTOCOL,
	TRACE_SERVER,
	TRACE_STATE,
	TRACE_CAME_BY,
	TRACE_LEFT_BY,
	TRACE_TEXTS
};

/* Source and destination of an IP header and of the ports behind it; ADDR_NONE: there is none. */
struct trace_ends {
	struct addr source;
	struct addr destination;
	uint16_t source_port;
	uint16_t destination_port;
	bool has_ports;
};

/*
 * How a frame left for its server by a method other than mac; else, in what tunnel it came. Of what there is none, text
 * is empty and the address ADDR_NONE.
 */
struct trace_way {
	char method[TRACE_TEXT];         /* by which it left */
	char tunnel[TRACE_TEXT];         /* in which it came */
	char inner_protocol[TRACE_TEXT]; /* of the packet in the tunnel, as TRACE_PROTOCOL */
	uint8_t dscp;                    /* with method dscp: the VIP's */
	struct addr gateway;             /* ADDR_NONE: the server is on the link */
	struct trace_ends outer;         /* of the IP header as it left */
	struct trace_ends inner;         /* of the packet in the tunnel */
};

struct trace_frame {
	bool left;
	uint32_t wire;
	uint32_t length;
	const uint8_t *bytes; /* not owned */
};

struct trace_record {
	enum trace_kind kind;
	uint64_t skipped;
	uint64_t when;
	bool begins;
	bool has_ports;
	bool incomplete;
	struct addr client;
	struct addr vip;
	uint16_t client_port;
	uint16_t vip_port;
	struct mac came_from, came_to, left_from, left_to;
	char texts[TRACE_TEXTS][TRACE_TEXT];
	struct trace_way way;
	struct trace_frame frames[TRACE_FRAMES];
	size_t frame_count;
};

/* The number of bytes written; 0 when `size` does not do. Texts and frames beyond the limits are not for this. */
size_t trace_record_write(const struct trace_record *record, uint8_t *bytes, size_t size);

enum trace_read {
	TRACE_READ,   /* `*used` bytes were a record */
	TRACE_MORE,   /* more bytes are needed */
	TRACE_GARBLED /* not such a stream */
};

/* Frames point into `bytes`. */
enum trace_read trace_record_read(const uint8_t *bytes, size_t length, struct trace_record *record, size_t *used);

#define TRACE_WAY_TEXT 1024
/*
 * " method=gue gateway=192.0.2.254 outer=192.0.2.1:50000>203.0.113.11:6080 inner-protocol=tcp
 * inner=198.51.100.7:40000>192.0.2.10:80", without what there is none of. Returns `text`.
 */
const char *trace_way_text(const struct trace_way *way, char text[TRACE_WAY_TEXT]);

#endif
