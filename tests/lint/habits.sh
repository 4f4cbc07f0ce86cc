#!/bin/sh
# SPDX-License-Identifier: ISC
# Conventions that a script can check: no forbidden functions, no long functions, no long files.
#     habits.sh [DIRECTORY]     lints the C files below DIRECTORY/src and DIRECTORY/tests (default: $SOURCE_DIR, else .)
#     habits.sh --selftest      proves that each rule can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# Prints one line for each fault below $1; status 1 if there is any.
lint() {
	# shellcheck disable=SC2016 # the $ are awk's
	c_sources "$1/src" "$1/tests" | xargs awk -v root="$1/" '
	function wrong(line, text) {
		printf "%s:%d: %s\n", file, line, text
		found = 1
	}
	# The line without strings, characters and comments; in_comment lasts over lines.
	function code(text,    out, at, two, one) {
		out = ""
		for (at = 1; at <= length(text); at++) {
			two = substr(text, at, 2)
			one = substr(text, at, 1)
			if (in_comment) {
				if (two == "*/") {
					in_comment = 0
					at++
				}
			} else if (two == "/*") {
				in_comment = 1
				at++
			} else if (two == "//") {
				break
			} else if (one == "\"" || one == "\047") {
				for (at++; at <= length(text) && substr(text, at, 1) != one; at++)
					if (substr(text, at, 1) == "\\")
						at++
				out = out one one
			} else {
				out = out one
			}
		}
		return out
	}
	BEGIN {
		forbidden["strcpy"] = "snprintf() or memcpy() with a length"
		forbidden["strcat"] = "snprintf()"
		forbidden["sprintf"] = "snprintf()"
		forbidden["vsprintf"] = "vsnprintf()"
		forbidden["gets"] = "fgets()"
		forbidden["strtok"] = "text_next_word()"
		forbidden["atoi"] = "text_number()"
		forbidden["atol"] = "text_number()"
		forbidden["alloca"] = "an array of fixed size, or malloc()"
	}
	FNR == 1 {
		file = substr(FILENAME, length(root) + 1)
		in_comment = 0
		start = 0
	}
	FNR == 1001 {
		wrong(FNR, "the file has more than 1000 lines: split it")
	}
	/[ \t]$/ {
		wrong(FNR, "blanks at the end of the line")
	}
	{
		rest = code($0)
		while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
			name = substr(rest, RSTART, RLENGTH - 1)
			sub(/[ \t]+$/, "", name)
			rest = substr(rest, RSTART + RLENGTH)
			if (name in forbidden)
				wrong(FNR, name "() is forbidden: use " forbidden[name])
		}
	}
	# A function begins and ends with a brace in the first column.
	/^\{/ {
		start = FNR
	}
	/^\}/ && start {
		if (FNR - start + 1 > 100)
			wrong(start, "the function has " FNR - start + 1 " lines, 100 are the limit")
		start = 0
	}
	END {
		exit found
	}'
}

# $1 lines, one statement each.
statements() {
	awk -v count="$1" 'BEGIN { for (i = 0; i < count; i++) print "\tone();" }'
}

selftest() {
	mkdir -p "$tree/tests"
	good='/* strcpy(a, b)\n * atoi(c) */\nint\nmy_strcpy(void)\n{\n\tputs("sprintf(x)"); // gets(x)\n'
	put src/a.c "$good$(statements 97)\n}\n"
	must_pass
	put src/made.c "/* SPDX-License-Identifier: ISC */\n/* Generated from a by b: do not edit. */\n$(statements 1001)\n"
	must_pass
	for name in strcpy strcat sprintf vsprintf gets strtok atoi atol alloca; do
		must_fail src/a.c "a = $name (b);\n" "a.c:1: $name() is forbidden"
	done
	must_fail src/a.c '/* one */ a = atoi(b);\n' 'atoi() is forbidden'
	must_fail src/a.c "int\nf(void)\n{\n$(statements 99)\n}\n" 'the function has 101 lines'
	must_fail src/a.c "$(statements 1001)\n" 'more than 1000 lines'
	must_fail src/a.c "int a; \n" 'blanks at the end'
}

lint_main "$@"
