#!/bin/sh
# SPDX-License-Identifier: ISC
# Every log line begins with a word that dsrd(8) explains under "Log lines", and what it explains is logged. In a value
# between double quotes there are none: others name things `so`.
#     log.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     log.sh --selftest     proves that it can fail
set -eu
LC_ALL=C
export LC_ALL

# One line for each thing that is wrong; status 1 when there is any.
lint() {
	# shellcheck disable=SC2016 # the $ are awk's
	find "$1/src" -name '*.c' | sort | xargs awk '
	FILENAME ~ /\.8\.in$/ {
		if ($1 == ".Ss")
			inside = $2 == "Log"
		else if (inside && $1 == ".It" && $2 == "Li")
			for (i = 3; i <= NF; i++)
				if ($i != ",")
					known[$i] = 1
		next
	}
	/log_(error|warning|notice|info|debug)\("|\)\("/ {
		if (match($0, /\("[a-z][a-z-]* [a-z-]+=/)) {
			word = substr($0, RSTART + 2)
			sub(/ .*/, "", word)
			logged[word] = FILENAME ":" FNR
			if (!(word in known)) {
				printf "%s:%d: dsrd(8) does not say what the log line `%s` is\n", FILENAME, FNR, word
				found = 1
			}
		}
	}
	FILENAME ~ /src\/(os|io|daemon)\// && /["( ]\\"%/ {
		printf "%s:%d: a reason with double quotes in it breaks the log line: write `%%s`\n", FILENAME, FNR
		found = 1
	}
	END {
		for (word in known)
			if (!(word in logged)) {
				printf "dsrd(8) explains the log line `%s`, which there is not\n", word
				found = 1
			}
		exit found
	}' "$1/man/dsrd.8.in"
}

selftest() {
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/log.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	mkdir -p "$scratch/man" "$scratch/src/io"
	printf '.Ss Log lines\n.It Li good , better\n.Ss More\n.It Li best\n' >"$scratch/man/dsrd.8.in"
	printf 'log_error("good a=%%s");\nloudness(x)("better b=1");\n' >"$scratch/src/io/a.c"
	lint "$scratch" || {
		echo "log.sh: selftest: what is right is refused" >&2
		exit 1
	}
	for bad in 'log_notice("best a=1");' 'snprintf(error, SIZE, "no \"%s\" here", x);'; do
		printf 'log_error("good a=%%s");\nloudness(x)("better b=1");\n%s\n' "$bad" >"$scratch/src/io/a.c"
		if lint "$scratch" >/dev/null; then
			echo "log.sh: selftest: nothing said of $bad" >&2
			exit 1
		fi
	done
	echo 'log_error("good a=%s");' >"$scratch/src/io/a.c"
	if lint "$scratch" >/dev/null; then
		echo "log.sh: selftest: nothing said of a word that nobody logs" >&2
		exit 1
	fi
	echo "log.sh: each rule can fail"
}

if [ "${1:-}" = --selftest ]; then
	selftest
else
	lint "${1:-${SOURCE_DIR:-.}}"
fi
