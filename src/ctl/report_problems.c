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
	const struct writer_ops *ops = writer->ops;

	ops->table(writer, "problems", "Problems of this director:", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < problems_count(facts->problems); i++) {
		const struct problem *problem = problems_at(facts->problems, i);
		const enum problem_severity severity = problem_severity(problem->id);
		const uint64_t age = facts->now > problem->since ? (facts->now - problem->since) / SECONDS(1) : 0;
		char since[DURATION_TEXT];

		ops->row(writer);
		ops->cell(writer, problem_name(problem->id), MOOD_PLAIN);
		ops->cell(writer, problem_severity_name(severity), severity == PROBLEM_ERROR ? MOOD_BAD : MOOD_WARN);
		ops->cell(writer, problem->subject, MOOD_PLAIN);
		ops->cell(writer, text_format_duration(SECONDS(age), since), MOOD_PLAIN);
		ops->cell_number(writer, age);
		ops->cell(writer, problem->what, MOOD_PLAIN);
		ops->cell(writer, problem_meaning(problem->id), MOOD_PLAIN);
		ops->cell(writer, problem->fix[0] != '\0' ? problem->fix : NULL, MOOD_PLAIN);
		ops->cell(writer, problem->undo[0] != '\0' ? problem->undo : NULL, MOOD_PLAIN);
	}
	ops->table_end(writer);
}
