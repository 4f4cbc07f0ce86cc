/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/client.h"

/* RFC 9110 section 15.5 */
#define HTTP_BAD_REQUEST 400
#define HTTP_NOT_FOUND 404

/* A name that the director does not have may be meant as a word of the command. */
static void
ask_hint(const struct wish *wish)
{
	char list[ARGUMENTS_ERROR];
	const char *nearest;

	if (wish->argument_count == 0)
		return;
	nearest = arguments_second_words(wish->command, wish->arguments[0], list);
	if (list[0] == '\0')
		return;
	fprintf(stderr, "dsrctl: %s takes names, or one of: %s", commands[wish->command].words[0], list);
	if (nearest != NULL)
		fprintf(stderr, "; did you mean `%s`?", nearest);
	fputc('\n', stderr);
}

enum ctl_status
ask_refused(const struct wish *wish, struct client_answer *answer)
{
	const bool usage = answer->status == HTTP_BAD_REQUEST || answer->status == HTTP_NOT_FOUND;

	fprintf(stderr, "dsrctl: %s%s", answer->length > 0 ? answer->body : "refused, without a reason",
	    answer->length > 0 && answer->body[answer->length - 1] == '\n' ? "" : "\n");
	if (answer->status == HTTP_NOT_FOUND && commands[wish->command].words[1] == NULL)
		ask_hint(wish);
	free(answer->body);
	answer->body = NULL;
	return usage ? CTL_USAGE : CTL_FAILED;
}

enum ctl_status
ask_quietly(const struct wish *wish, char **text)
{
	struct request request = { .length = 0 };
	struct client_answer answer;
	char error[CLIENT_ERROR];

	*text = NULL;
	request_make(&request, wish->command, wish->arguments, wish->argument_count, wish->json);
	switch (client_ask(wish->socket, request.bytes, commands[wish->command].wait, &answer, error)) {
	case CLIENT_OK:
		break;
	case CLIENT_ABSENT:
		fprintf(stderr, "dsrctl: %s\n", error);
		return CTL_NO_DAEMON;
	case CLIENT_FAILED:
		fprintf(stderr, "dsrctl: %s\n", error);
		return CTL_FAILED;
	}
	if (answer.status == 200) {
		*text = answer.body;
		return answer.wrong ? CTL_FAILED : CTL_OK;
	}
	return ask_refused(wish, &answer);
}

enum ctl_status
ask(const struct wish *wish)
{
	char *text;
	enum ctl_status status = ask_quietly(wish, &text);

	if (text != NULL && (fputs(text, stdout) == EOF || fflush(stdout) != 0)) {
		fprintf(stderr, "dsrctl: cannot write: %s\n", strerror(errno));
		status = CTL_FAILED;
	}
	free(text);
	return status;
}
