/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/report_process.h"

#include <stdio.h>

#include "base/attr.h"

static const char *const confined_names[] = { [REPORT_CONFINED_NO] = "no", [REPORT_CONFINED_LOG] = "log",
	[REPORT_CONFINED_YES] = "yes" };

/* For people: what confines it, or "no" and why. */
static void
confined_cells(struct writer *writer, enum report_confined confined, const char *by)
{
	static const enum mood moods[] = { [REPORT_CONFINED_NO] = MOOD_WARN, [REPORT_CONFINED_LOG] = MOOD_WARN,
		[REPORT_CONFINED_YES] = MOOD_GOOD };
	char text[REPORT_PROCESS_TEXT + 8];

	if (confined == REPORT_CONFINED_YES)
		(void)snprintf(text, sizeof(text), "%s", by);
	else
		(void)snprintf(text, sizeof(text), "%s (%s)", confined_names[confined], by);
	writer_cell_mood(writer, text, moods[confined]);
	writer_cell(writer, confined_names[confined]);
	writer_cell(writer, by);
}

static void
process_row(struct writer *writer, const struct report_process *process)
{
	writer_row(writer);
	writer_cell(writer, process->name);
	writer_cell_number(writer, (uint64_t)process->pid);
	writer_cell(writer, process->user[0] != '\0' ? process->user : NULL);
	writer_cell(writer, process->capabilities[0] != '\0' ? process->capabilities : NULL);
	writer_cell_flag(writer, process->no_new_privs);
	confined_cells(writer, process->calls, process->calls_by);
	confined_cells(writer, process->files, process->files_by);
	writer_cell(writer, process->task);
}

void
report_processes(struct writer *writer, const struct report_process *processes, size_t count)
{
	static const struct column columns[] = { { "name", "PROCESS", false }, { "pid", "PID", true }, { "user", "USER", false },
		{ "capabilities", "CAPABILITIES", false }, { "no_new_privs", "NO-NEW-PRIVS", false },
		{ "calls_text", "SYSTEM CALLS", false }, { "calls", NULL, false }, { "calls_by", NULL, false },
		{ "files_text", "FILES", false }, { "files", NULL, false }, { "files_by", NULL, false }, { "task", "TASK", false } };

	writer_table(writer, "processes", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < count; i++)
		process_row(writer, &processes[i]);
	writer_table_end(writer);
}
