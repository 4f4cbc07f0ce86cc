/* SPDX-License-Identifier: ISC */
/* The other end of the control socket: sends one request, takes one answer, bounded in time and size. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "ctl/command.h"

/* A command and its arguments as the HTTP request that the control socket understands. */
#define REQUEST_MOST 8192

struct request {
	char bytes[REQUEST_MOST]; /* text */
	size_t length;
};

/* JSON, or text, in colours on a terminal. */
void request_make(struct request *request, enum command_id id, const char *const arguments[], size_t count, bool json);
/* True if standard output is a terminal and colours are not disabled. */
bool request_wants_colour(void);

#define CLIENT_ERROR 512
#define CLIENT_MOST (64U << 20) /* bytes of an answer: a hundred thousand servers have room */

struct client_answer {
	unsigned status; /* HTTP */
	bool wrong;      /* done, and what was looked at is not well */
	char *body;      /* to be freed; ends with a NUL that is not counted */
	size_t length;
};

enum client_result {
	CLIENT_OK = 0,
	CLIENT_ABSENT, /* no program answers there */
	CLIENT_FAILED
};

/* `request` is a whole HTTP request. Anything but CLIENT_OK has a reason. */
NODISCARD enum client_result client_ask(const char *path, const char *request, unsigned seconds,
    struct client_answer *answer, char error[CLIENT_ERROR]);
/*
 * The same for a stream: `piece` gets the data as it arrives, without the head, until it returns false, the other end
 * closes, or `stop` returns true, which is called a few times a second. `answer` holds a refusal.
 */
struct client_stream {
	bool (*piece)(void *context, const uint8_t *bytes, size_t length);
	bool (*stop)(void *context);
	void *context;
};

NODISCARD enum client_result client_follow(const char *path, const char *request, unsigned seconds,
    const struct client_stream *stream, struct client_answer *answer, char error[CLIENT_ERROR]);
/* Reads a whole answer, which the function may change. 0, or -1: this is not HTTP. `body` points into `bytes`. */
NODISCARD int client_parse(char *bytes, size_t length, struct client_answer *answer);

#endif
