/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/request.h"

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
	case CLIENT_NOBODY:
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
	fprintf(stderr, "dsrctl: %s%s", answer.length > 0 ? answer.body : "refused, without a reason",
	    answer.length > 0 && answer.body[answer.length - 1] == '\n' ? "" : "\n");
	free(answer.body);
	return CTL_FAILED;
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
