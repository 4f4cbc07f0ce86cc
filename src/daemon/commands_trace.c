/* SPDX-License-Identifier: ISC */
/* `dsrctl trace`. */
#include "config.h"

#include "daemon/commands_int.h"

#include <string.h>

#include "daemon/trace.h"

/* The frames contain clients' data, so access to them requires more than read permission. */
enum control_result
commands_trace(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	const struct http_request *request = ask->request;
	const bool frames = request->argument_count > 0 && strcmp(request->arguments[0], "frames") == 0;
	enum control_result result;
	struct filter filter;

	if (frames && !commands_may_change(cmds, ask, out))
		return CONTROL_FORBIDDEN;
	result = commands_filter(cmds, ask, frames ? 1 : 0, FILTER_DECISIONS, &filter, out);
	if (result != CONTROL_DONE)
		return result;
	return trace_watch(&cmds->trace, ask->client, &filter, frames, out);
}
