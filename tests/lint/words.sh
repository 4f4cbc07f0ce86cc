#!/bin/sh
# SPDX-License-Identifier: ISC
# Words and phrases that do not belong in technical English, in everything that people read: source and its comments,
# messages, manuals, documents. Uses of a word as a name are accepted: the user nobody of `user = nobody`.
#     words.sh [DIRECTORY]     lints what is in DIRECTORY (default: $SOURCE_DIR, else .)
#     words.sh --selftest      proves that each rule can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# One line for each word below $1; status 1 when there is any.
lint() {
	# shellcheck disable=SC2016 # the $ are awk's
	for place in src man doc etc README.md CONTRIBUTING.md SECURITY.md; do
		[ ! -e "$1/$place" ] || find "$1/$place" -type f \( -name '*.[ch]' -o -name '*.in' -o -name '*.md' -o \
		    -name '*.html' \
		    -o -name '*.conf' -o -name '*.am' \)
	done | sort | xargs awk -v root="$1/" '
	BEGIN {
		# A word with its neighbors, in blanks: the text is brought into that form first.
		better[" nobody "] = "no one, no host, no client"
		better[" somebody "] = "another host, a client"
		better[" anybody "] = "any host, anyone"
		better[" everybody "] = "all, any user"
		better[" whoever "] = "a client that, a host that"
		better[" whomever "] = "the host that"
		better[" anew "] = "again"
		better[" mend "] = better[" mends "] = better[" mended "] = better[" mending "] = "fix"
		better[" told of "] = "notified of, has received"
		better[" tell of "] = better[" tells of "] = better[" telling of "] = "reports, shows"
		better[" unasked "] = "unsolicited, without a check"
		better[" ought "] = "should"
		better[" lest "] = "so that ... not"
		better[" thereby "] = "so"
		better[" is over "] = better[" are over "] = "has ended, has expired"
		better[" of its own accord "] = "by itself"
	}
	{
		text = tolower($0)
		# The user of that name: `user = nobody`, nobody:nogroup, "nobody".
		gsub(/(user|`|= *|\.li )[ =`]*nobody|nobody:|"nobody"/, "", text)
		gsub(/[^a-z]+/, " ", text)
		text = " " text " "
		for (word in better)
			if (index(text, word)) {
				printf "%s:%d: \"%s\": write %s\n", substr(FILENAME, length(root) + 1), FNR, \
				    substr(word, 2, length(word) - 2), better[word]
				found = 1
			}
	}
	END { exit found }'
}

selftest() {
	put src/a.c '/* Frees the table, and again; mender and somebodyless are other words. */\nint a;\n'
	put man/a.8.in 'The user\n.Li nobody\n'
	# shellcheck disable=SC2016 # the backquotes are Markdown's
	put doc/a.md 'Set `user = nobody`, or `chown nobody:nogroup`.\n'
	put ./README.md 'Good.\n'
	must_pass
	must_fail src/b.c '/* Opened anew. */\n' '^src/b.c:1: "anew": write again'
	must_fail src/b.h '\n/* What nobody reads. */\n' '^src/b.h:2: "nobody"'
	must_fail src/b.c 'puts("nobody has it");\n' '^src/b.c:1: "nobody"'
	must_fail src/b.c 'puts("Somebody else has it");\n' '^src/b.c:1: "somebody"'
	must_fail src/b.c '/* Whoever asks. */\n' 'whoever'
	must_fail src/b.c '/* anybody */\n' 'anybody'
	must_fail src/b.c '/* everybody */\n' 'everybody'
	must_fail src/b.c '/* whomever */\n' 'whomever'
	must_fail man/b.5.in 'It mends what\n' '^man/b.5.in:1: "mends": write fix'
	must_fail man/b.5.in 'It cannot mend it, mended, mending\n' '"mending"'
	must_fail doc/b.md 'It is told of changes.\n' '"told of"'
	must_fail doc/b.md 'It tells of changes.\n' '"tells of"'
	must_fail doc/b.md 'To tell of, telling of.\n' '"telling of"'
	must_fail ./README.md 'Unasked, it\n' 'unasked'
	must_fail ./README.md 'It ought to.\n' 'ought'
	must_fail ./README.md 'Lest it fails.\n' 'lest'
	must_fail ./README.md 'It is thereby\n' 'thereby'
	must_fail etc/a.conf '; when the time is over\n' 'is over'
	must_fail src/page.html 'they are over\n' 'are over'
	must_fail ./CONTRIBUTING.md 'Of its own accord.\n' 'of its own accord'
	must_fail doc/b.md 'nobody answers\n' 'nobody'
}

lint_main "$@"
