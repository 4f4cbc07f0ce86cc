/* SPDX-License-Identifier: ISC */
/* Both ends of the control socket: what clients may send to dsrd, and what dsrctl may be answered. */
#include "config.h"

#undef NDEBUG /* what is asserted is the test */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "ctl/http.h"
#include "http/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
request(const char *bytes, size_t size)
{
	const size_t head = http_head_length(bytes, size);
	struct http_request parsed;
	const char *why = NULL;
	size_t plain = 0; /* arguments that are no options: those have no bound of their own */
	unsigned status;

	assert(head <= size);
	status = http_parse(bytes, head == 0 ? size : head, &parsed, &why);
	if (status != 0) {
		assert(status >= 400 && status < 600 && why != NULL);
		return;
	}
	assert(parsed.command < COMMAND_COUNT);
	assert(parsed.argument_count <= COMMAND_ARGUMENTS);
	assert(commands[parsed.command].changes == (parsed.method == HTTP_POST));
	for (size_t i = 0; i < parsed.argument_count; i++) {
		assert(memchr(parsed.arguments[i], '\0', COMMAND_ARGUMENT) != NULL);
		plain += strncmp(parsed.arguments[i], "--", 2) != 0;
	}
	assert(plain >= commands[parsed.command].least && plain <= commands[parsed.command].most);
}

static void
reply(const char *bytes, size_t size)
{
	struct client_answer answer = { 0 };
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return;
	memcpy(copy, bytes, size);
	copy[size] = '\0';
	if (client_parse(copy, size, &answer) == 0) {
		assert(answer.body >= copy && answer.body + answer.length == copy + size);
		assert(answer.status >= 100 && answer.status <= 999);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request((const char *)data, size);
	reply((const char *)data, size);
	return 0;
}
