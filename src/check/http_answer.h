/* SPDX-License-Identifier: ISC */
/*
 * Evaluates an HTTP/1 response (RFC 9112) as it arrives, piece by piece, in constant memory: only the current line is
 * kept.
 */
#ifndef CHECK_HTTP_ANSWER_H
#define CHECK_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/matcher.h"
#include "http/message.h"
#include "model/health.h"
#include "model/settings.h"

#define HTTP_LINE 256           /* what is looked at of each line; the rest of a longer one is read over */
#define HTTP_HEAD_MOST 32768    /* bytes before the body, interim responses included */
#define HTTP_BODY_MOST 65536    /* bytes of the body in which the expected text must appear */
#define HTTP_DETAIL 80

enum http_state {
	HTTP_STATUS_LINE = 0,
	HTTP_FIELDS,
	HTTP_BODY,        /* as many bytes as the framing says, or as many as come */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END    /* the line end behind a chunk */
};

struct http_answer {
	const struct check_settings *check;
	struct matcher matcher;
	enum http_state state;
	uint16_t status; /* 0 while unknown */
	struct http_framing framing; /* `length` is what is left of the body or the chunk */
	uint32_t head;   /* bytes before the body so far */
	uint32_t body;   /* bytes of it that were searched */
	bool decided;
	enum health_reason reason;
	char detail[HTTP_DETAIL];
	uint16_t length;
	char line[HTTP_LINE];
};

/* `check` must outlive the answer. */
void http_answer_begin(struct http_answer *answer, const struct check_settings *check);
/* Returns `decided`: then `reason` and `detail` are final, and more bytes change nothing. */
bool http_answer_feed(struct http_answer *answer, const uint8_t *bytes, size_t length);
/* Nothing more comes. Decides. */
void http_answer_end(struct http_answer *answer);

#endif
