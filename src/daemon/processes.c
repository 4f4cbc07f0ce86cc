/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/processes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/children.h"
#include "daemon/announcing.h"
#include "daemon/checking.h"
#include "daemon/privsep.h"

static_assert((int)REPORT_CONFINED_NO == (int)OS_CONFINED_NO && (int)REPORT_CONFINED_LOG == (int)OS_CONFINED_LOG &&
    (int)REPORT_CONFINED_YES == (int)OS_CONFINED_YES, "the values of the report are those of os/");

/* `sandbox`: what the process itself says about it. */
static void
describe(struct report_process *process, const char *name, pid_t pid, const struct os_sandbox *sandbox,
    const char *task)
{
	struct os_process_facts facts;

	memset(process, 0, sizeof(*process));
	process->name = name;
	process->pid = pid;
	process->task = task;
	process->calls = (enum report_confined)sandbox->calls;
	process->files = (enum report_confined)sandbox->files;
	(void)snprintf(process->calls_by, sizeof(process->calls_by), "%.*s", OS_SANDBOX_TEXT - 1, sandbox->calls_by);
	(void)snprintf(process->files_by, sizeof(process->files_by), "%.*s", OS_SANDBOX_TEXT - 1, sandbox->files_by);
	if (os_process_read(pid, &facts) == -1)
		return;
	process->no_new_privs = facts.no_new_privs;
	os_user_name(facts.uid, process->user);
	if (process->user[0] == '\0')
		(void)snprintf(process->user, sizeof(process->user), "%ju", (uintmax_t)facts.uid);
	(void)os_capabilities_text(facts.capabilities, process->capabilities);
	/* The kernel decides: a filter that the process reports and the kernel does not is not in force. */
	if (facts.filter == OS_FILTER_NO && process->calls == REPORT_CONFINED_YES)
		process->calls = REPORT_CONFINED_NO;
}

size_t
processes_gather(const struct processes *processes, struct report_process list[PROCESSES_MOST])
{
	const struct os_sandbox *sandbox;
	size_t count = 0;
	pid_t pid;

	describe(&list[count++], "director", getpid(), processes->director, processes->checking != NULL ?
	    "forwards frames, answers dsrctl" : "forwards frames, checks servers, answers dsrctl");
	if (privsep_process(processes->privsep, &pid, &sandbox))
		describe(&list[count++], "privileged", pid, sandbox, "opens interfaces, changes offloads, forks "
		    "checker and launcher");
	if (checking_process(processes->checking, &pid, &sandbox))
		describe(&list[count++], "checker", pid, sandbox, "connects to servers and parses what they answer to "
		    "checks");
	sandbox = children_launcher(processes->children, &pid);
	if (sandbox != NULL)
		describe(&list[count++], "launcher", pid, sandbox, "starts programs of checks and of notify");
	if (announcing_process(processes->announcing, &pid, &sandbox))
		describe(&list[count++], "route-holder", pid, sandbox, "holds the routes to the VIPs, as long as the "
		    "director lives");
	return count;
}
