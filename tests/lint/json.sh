#!/bin/sh
# SPDX-License-Identifier: ISC
# Every member of an answer is explained: what reports give a name in src/ctl stands in dsrd-json(7) or dsrd-metrics(7).
# Whether it stands with the right command, tests/integration/test_json.sh finds out.
#     json.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     json.sh --selftest     proves that it can fail
set -eu
LC_ALL=C
export LC_ALL

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
	}' "$1/man/dsrd-json.7.in" "$1/man/dsrd-metrics.7.in" "$1"/src/ctl/report*.c "$1/src/ctl/doctor.c"
}

selftest() {
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/json.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	mkdir -p "$scratch/man" "$scratch/src/ctl"
	printf '.It Li server , state\n.Li why .\n' >"$scratch/man/dsrd-json.7.in"
	: >"$scratch/man/dsrd-metrics.7.in"
	: >"$scratch/src/ctl/doctor.c"
	# shellcheck disable=SC2028 # it is C
	echo 'columns[] = { { "server", "SERVER", false }, { "state", NULL, false } }; ops->fact(writer, "why", NULL, why);' \
	    >"$scratch/src/ctl/report.c"
	lint "$scratch" || {
		echo "json.sh: selftest: good names are refused" >&2
		exit 1
	}
	for bad in '{ "other", "SERVER", false }' '{ "other", NULL, true }' 'ops->flag(writer, "other", true);' nothing; do
		echo "$bad" >"$scratch/src/ctl/report.c"
		if lint "$scratch" >/dev/null; then
			echo "json.sh: selftest: nothing said of $bad" >&2
			exit 1
		fi
	done
	echo "json.sh: each rule can fail"
}

if [ "${1:-}" = --selftest ]; then
	selftest
else
	lint "${1:-${SOURCE_DIR:-.}}"
fi
