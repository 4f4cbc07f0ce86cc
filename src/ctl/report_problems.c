/* SPDX-License-Identifier: ISC */
/* The director's own problems, as people and programs read them. */
#include "config.h"

#include "ctl/report.h"

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"

void
report_problems(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "id", NULL, false }, { "severity", "PROBLEM", false },
		{ "subject", "ABOUT", false }, { "since", "SINCE", true }, { "since_seconds", NULL, true },
		{ "what", "WHAT IS WRONG", false }, { "meaning", NULL, false }, { "fix", "FIX", false },
		{ "undo", NULL, false } };

	writer_table(writer, "problems", "Problems of this director:", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < problems_count(facts->problems); i++) {
		const struct problem *problem = problems_at(facts->problems, i);
		const enum severity severity = diagnosis_severity(problem->id);
		const uint64_t age = facts->now > problem->since ? (facts->now - problem->since) / SECONDS(1) : 0;
		char since[DURATION_TEXT];

		writer_row(writer);
		writer_cell(writer, diagnosis_name(problem->id));
		writer_cell_mood(writer, severity_name(severity), severity == SEVERITY_ERROR ? MOOD_BAD :
		    MOOD_WARN);
		writer_cell(writer, problem->subject);
		writer_cell(writer, text_format_duration(SECONDS(age), since));
		writer_cell_number(writer, age);
		writer_cell(writer, problem->what);
		writer_cell(writer, problem->meaning);
		writer_cell(writer, problem->fix[0] != '\0' ? problem->fix : NULL);
		writer_cell(writer, problem->undo[0] != '\0' ? problem->undo : NULL);
	}
	writer_table_end(writer);
}
