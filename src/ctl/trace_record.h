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
 *               u8 number of frames; each u8 direction (0 came, 1 left), u32 bytes on the wire, u32 bytes here, bytes
 */
#ifndef CTL_TRACE_RECORD_H
#define CTL_TRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

#define TRACE_MAGIC "dsrdtr01"
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

#endif
