#!/bin/sh
# SPDX-License-Identifier: ISC
# Every member of an answer is documented: the names of members in src/ctl are in dsrd-json(7) or dsrd-metrics(7).
# tests/integration/test_json.sh checks that they are documented for the right command.
#     json.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     json.sh --selftest     proves that it can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# One line for each name that no manual page has; status 1 when there is any.
lint() {
	awk '
	FILENAME ~ /\.7\.in$/ {
		if ($1 == ".Li" || ($1 == ".It" || $1 == ".Pq") && $2 == "Li")
			for (i = 2; i <= NF; i++)
				known[$i] = 1
		next
	}
	{
		rest = $0
		while (match(rest, /\(writer, "[a-z0-9_]+"|\{ "[a-z0-9_]+", ("|NULL)/)) {
			name = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			sub(/^[^"]*"/, "", name)
			sub(/".*/, "", name)
			named++
			if (!(name in known)) {
				printf "%s:%d: no manual page explains the member %s\n", FILENAME, FNR, name
				found = 1
			}
		}
	}
	END {
		if (named == 0) {
			print "no member is named: is something wrong with this lint?"
			found = 1
		}
		exit found
	}' "$1/man/dsrd-json.7.in" "$1/man/dsrd-metrics.7.in" "$1"/src/ctl/report*.c "$1"/src/ctl/doctor*.c
}

selftest() {
	put man/dsrd-json.7.in '.It Li server , state\n.Li why .\n'
	put man/dsrd-metrics.7.in ''
	put src/ctl/doctor.c ''
	put src/ctl/report.c \
	    '{ "server", "SERVER", false }, { "state", NULL, false }; writer_fact(writer, "why", NULL, why);\n'
	must_pass
	for bad in '{ "other", "SERVER", false }' '{ "other", NULL, true }' 'writer_flag(writer, "other", true);'; do
		must_fail src/ctl/report.c "$bad\n" 'report.c:1: no manual page explains the member other$'
	done
	must_fail src/ctl/report.c 'nothing\n' 'no member is named'
}

lint_main "$@"
