/* SPDX-License-Identifier: ISC */
/* `dsrctl events` and `show rates`. */
#include "config.h"

#include "daemon/commands_int.h"

#include <time.h>

#include "ctl/report.h"
#include "daemon/recording.h"
#include "daemon/stats.h"

enum control_result
commands_events(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct http_request *request = ask->request;
	const char *words[COMMAND_ARGUMENTS] = { NULL };
	struct event_filter filter;
	char error[EVENT_FILTER_ERROR];

	for (size_t i = 0; i < request->argument_count; i++)
		words[i] = request->arguments[i];
	if (event_filter_parse(words, request->argument_count, (uint64_t)time(NULL) * 1000, &filter, error) == -1) {
		fprintf(out, "%s\n", error);
		return CONTROL_USAGE;
	}
	if (cmds->parts.recording->events == NULL)
		return commands_out_of_memory(out);
	report_events(writer, cmds->parts.recording->events, &filter, cmds->parts.sources->director->model);
	return CONTROL_DONE;
}
