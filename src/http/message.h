/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1.1 messages (RFC 9112), as dsrd's listeners, dsrctl and the health checks read them. Pure. What the RFC lets a
 * recipient refuse is refused.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* A request's head, cut in place. The pointers go into the buffer of http_request_head(). */
struct http_head {
	const char *method;
	char *target;
	const char *host; /* NULL without one; of a target such as http://HOST/PATH, that host */
	char *accept;     /* the last one; NULL without one */
};

/* How long a message's body is (RFC 9112 section 6.3). Starts as zero. */
struct http_framing {
	bool chunked;
	bool has_length;
	uint64_t length;
};

/* The number of bytes up to and including the empty line; 0: the head is not complete yet. */
size_t http_head_length(const char *bytes, size_t length);
/*
 * Copies a complete head to `text`, which has room for `length + 1` bytes, and reads it. 0, or an HTTP status (400,
 * 413, 505) with a sentence in `*why`. A request with a body is refused: no request to dsrd has one. `head->method`
 * is set in either case.
 */
NODISCARD unsigned http_request_head(const char *bytes, size_t length, char *text, struct http_head *head,
    const char **why);
/* Cuts the text at the next `end` and returns what is before it; `*rest` is what follows. */
char *http_cut(char **rest, char end);
/* Cuts off a line, without its CR LF or LF. */
char *http_line(char **rest);
/* The value of a field line, without blanks around it; NULL when the field has another name. Changes `line`. */
char *http_field(char *line, const char *name);
/* Reads a field line that may say something about the body. 0, or -1: Content-Length is not one number. */
NODISCARD int http_framing_field(struct http_framing *framing, char *line);
/* The status code of "HTTP/1.1 200 OK", 100 to 599; 0: this is no status line. */
unsigned http_status_line(const char *line);
/* "1f;extension", RFC 9112 section 7.1. 0, or -1. */
NODISCARD int http_chunk_size(const char *line, uint64_t *size);
/* "Not Found" */
const char *http_status_text(unsigned status);
/* Returns `status`, for parsers that say why they refuse. */
unsigned http_refuse(unsigned status, const char *sentence, const char **why);

#endif
