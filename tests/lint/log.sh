#!/bin/sh
# SPDX-License-Identifier: ISC
# Every log line begins with a word that dsrd(8) explains in "Log lines" or "Problems", and every word there is logged.
# A
# value in double quotes contains none: names in it are quoted `so`.
#     log.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     log.sh --selftest     proves that it can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# Prints one line for each fault; status 1 if there is any.
lint() {
	# shellcheck disable=SC2016 # the $ are awk's
	c_sources "$1/src" | xargs awk '
	FILENAME ~ /\.8\.in$/ {
		if ($1 == ".Ss")
			inside = $2 == "Log" || $2 == "Problems"
		else if (inside && $1 == ".It" && $2 == "Li")
			for (i = 3; i <= NF; i++)
				if ($i != ",")
					known[$i] = 1
		next
	}
	/log_(error|warning|notice|dump|info|debug)\("|\)\("/ {
		if (match($0, /\("[a-z][a-z-]* [a-z-]+=/)) {
			word = substr($0, RSTART + 2)
			sub(/ .*/, "", word)
			logged[word] = FILENAME ":" FNR
			if (!(word in known)) {
				printf "%s:%d: dsrd(8) does not explain the log line `%s`\n", FILENAME, FNR, word
				found = 1
			}
		}
	}
	# Identifiers of problems begin lines too: X(NAME, "name", ...
	FILENAME ~ /src\/doctor\/findings\.h$/ && /^#define / {
		problems = $2 ~ /^DIRECTOR_PROBLEMS/
	}
	FILENAME ~ /src\/doctor\/findings\.h$/ && problems && match($0, /^\tX\([A-Z_]+, "[a-z-]+"/) {
		word = substr($0, RSTART, RLENGTH - 1)
		sub(/.*"/, "", word)
		logged[word] = FILENAME ":" FNR
		if (!(word in known)) {
			printf "%s:%d: dsrd(8) does not explain the problem `%s`\n", FILENAME, FNR, word
			found = 1
		}
	}
	FILENAME ~ /src\/(os|io|daemon)\// && /["( ]\\"%/ {
		printf "%s:%d: a reason with double quotes breaks the log line: write `%%s`\n", FILENAME, FNR
		found = 1
	}
	END {
		for (word in known)
			if (!(word in logged)) {
				printf "dsrd(8) explains the log line `%s`, which does not exist\n", word
				found = 1
			}
		exit found
	}' "$1/man/dsrd.8.in"
}

selftest() {
	right='log_error("good a=%s");\nloudness(x)("better b=1");\n'
	put man/dsrd.8.in '.Ss Log lines\n.It Li good , better\n.Ss More\n.It Li best\n'
	put src/io/a.c "$right"
	must_pass
	must_fail src/io/a.c "${right}log_notice(\"best a=1\");\n" 'a.c:3: dsrd(8) does not explain'
	must_fail src/io/a.c "${right}snprintf(error, SIZE, \"no \\\\\"%s\\\\\" here\", x);\n" \
	    'a.c:3: a reason with double quotes'
	must_fail src/doctor/findings.h '#define DIRECTOR_PROBLEMS(X) \\\n\tX(BEST, "best", ERROR, "x", "y")\n' \
	    'findings.h:2: dsrd(8) does not explain the problem .best.'
	must_fail src/io/a.c 'log_error("good a=%s");\n' 'dsrd(8) explains the log line .better., which does not exist'
}

lint_main "$@"
