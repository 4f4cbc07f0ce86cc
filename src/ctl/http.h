/* SPDX-License-Identifier: ISC */
/*
 * The little of HTTP/1.1 (RFC 9112) that the control socket speaks: one request a connection, GET or POST, no body that
 * is looked at. Pure, and strict: what it does not know it refuses.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "ctl/command.h"

#define HTTP_HEAD 4096 /* bytes of a request's head: more is refused */
#define HTTP_BODY 0    /* no command has one yet */

enum http_method {
	HTTP_GET,
	HTTP_HEAD_ONLY,
	HTTP_POST
};

struct http_request {
	enum http_method method;
	enum command_id command;
	char arguments[COMMAND_ARGUMENTS][COMMAND_ARGUMENT]; /* of `arg=`, decoded */
	size_t argument_count;
	bool text;   /* `format=text`; else JSON */
	bool colour; /* `colour=yes` */
};

/* How many of the bytes are the head with its empty line; 0: it is not complete yet. */
size_t http_head_length(const char *bytes, size_t length);
/*
 * Reads a complete head. 0 and `*request` filled, or an HTTP status (400, 404, 405, 413, 501, 505) with a sentence in
 * `*why`.
 */
NODISCARD unsigned http_parse(const char *head, size_t length, struct http_request *request, const char **why);
/* "Not Found" */
const char *http_status_text(unsigned status);

#endif
