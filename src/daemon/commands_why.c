/* SPDX-License-Identifier: ISC */
/* `dsrctl why`. */
#include "config.h"

#include "daemon/commands_int.h"

#include "ctl/report.h"

enum control_result
commands_why(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct http_request *request = ask->request;
	const struct report_facts facts = commands_facts(cmds);
	struct flow_question question;
	char error[WHY_ERROR];
	bool forwarded;

	if (why_parse(request->arguments[0], request->arguments[1], request->arguments[2], &question, error) == -1) {
		fprintf(out, "%s\n", error);
		return CONTROL_USAGE;
	}
	if (report_flow_why(writer, &facts, &question, &forwarded) == -1)
		return commands_out_of_memory(out);
	return forwarded ? CONTROL_DONE : CONTROL_WRONG;
}
