/* SPDX-License-Identifier: ISC */
/* A command and its arguments as the HTTP request that the control socket understands. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/command.h"

#define REQUEST_MOST 8192

struct request {
	char bytes[REQUEST_MOST]; /* text */
	size_t length;
};

/* JSON, or text, in colours on a terminal. */
void request_make(struct request *request, enum command_id id, const char *const arguments[], size_t count, bool json);
/* True if standard output is a terminal and colours are not disabled. */
bool request_wants_colour(void);

#endif
