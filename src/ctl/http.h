/* SPDX-License-Identifier: ISC */
/*
 * Requests to the control socket: a command of the table as the path, GET or POST, no body. Pure, and strict: what it
 * does not know it refuses.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "ctl/command.h"

#define HTTP_HEAD 4096 /* bytes of a request's head: more is refused */

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

/*
 * Reads a complete head. 0 and `*request` filled, or an HTTP status (400, 404, 405, 413, 501, 505) with a sentence in
 * `*why`.
 */
NODISCARD unsigned http_parse(const char *bytes, size_t length, struct http_request *request, const char **why);

#endif
