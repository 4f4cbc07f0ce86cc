/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/flag.h"

#include <getopt.h>
#include <string.h>

#define SHORTS_ROOM (2 * FLAGS_MOST + 8)

/* "+": glibc would else look for flags behind the first word too. */
static void
flag_describe(const struct flag *flags, size_t count, const char *silent, struct option *longs,
    char shorts[SHORTS_ROOM])
{
	size_t used;

	used = (size_t)snprintf(shorts, SHORTS_ROOM - 2 * FLAGS_MOST, "+%s", silent);
	for (size_t i = 0; i < count; i++) {
		longs[i].name = flags[i].name;
		longs[i].has_arg = flags[i].takes != NULL ? required_argument : no_argument;
		longs[i].val = flags[i].letter;
		if (flags[i].letter >= FLAG_LONG)
			continue;
		shorts[used++] = (char)flags[i].letter;
		if (flags[i].takes != NULL)
			shorts[used++] = ':';
	}
	shorts[used] = '\0';
}

int
flag_next(const struct flag *flags, size_t count, const char *silent, int argc, char *const argv[])
{
	struct option longs[FLAGS_MOST + 1];
	char shorts[SHORTS_ROOM];

	memset(longs, 0, sizeof(longs));
	flag_describe(flags, count < FLAGS_MOST ? count : FLAGS_MOST, silent, longs, shorts);
	return getopt_long(argc, argv, shorts, longs, NULL);
}

void
flag_print(const struct flag *flags, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct flag *flag = &flags[i];
		char left[64];

		if (flag->letter >= FLAG_LONG)
			snprintf(left, sizeof(left), "    --%s%s%s", flag->name, flag->takes != NULL ? " " : "",
			    flag->takes != NULL ? flag->takes : "");
		else
			snprintf(left, sizeof(left), "-%c, --%s%s%s", flag->letter, flag->name,
			    flag->takes != NULL ? " " : "", flag->takes != NULL ? flag->takes : "");
		fprintf(out, "  %-26s %s\n", left, flag->help);
		if (flag->more != NULL)
			fprintf(out, "  %-26s %s\n", "", flag->more);
	}
}
