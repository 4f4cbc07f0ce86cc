/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
request_append(struct request *request, const char *more)
{
	const size_t room = sizeof(request->bytes) - request->length;
	const int length = snprintf(request->bytes + request->length, room, "%s", more);

	request->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* RFC 3986 section 2.3: all but unreserved characters are escaped. */
static void
append_escaped(struct request *request, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char piece[4];

	for (; *word != '\0'; word++) {
		snprintf(piece, sizeof(piece), strchr(plain, *word) != NULL ? "%c" : "%%%02X", (unsigned char)*word);
		request_append(request, piece);
	}
}

bool
request_wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	/* https://no-color.org: present and not empty. */
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

void
request_make(struct request *request, enum command_id id, const char *const arguments[], size_t count, bool json)
{
	const char *const *words = commands[id].words;

	request_append(request, commands[id].changes ? "POST /" : "GET /");
	request_append(request, command_word(words[0]));
	if (words[1] != NULL) {
		request_append(request, "/");
		request_append(request, command_word(words[1]));
	}
	request_append(request, json ? "?format=json" : "?format=text");
	if (!json && request_wants_colour())
		request_append(request, "&colour=yes");
	for (size_t i = 0; i < count; i++) {
		request_append(request, "&arg=");
		append_escaped(request, arguments[i]);
	}
	request_append(request, " HTTP/1.1\r\nHost: dsrd\r\nConnection: close\r\n\r\n");
}
