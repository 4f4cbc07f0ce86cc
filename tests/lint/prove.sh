# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# Functions shared by the lints of this directory. Each sources this file; defines lint(), which prints a line for each
# fault
# below $1 and returns 1 if there is any, and selftest(), which proves this with put(), must_pass() and must_fail(); and
# ends
# with lint_main "$@".
set -eu
LC_ALL=C
export LC_ALL

# The C files below each DIRECTORY that people write. What a build in the tree makes says so in its first two lines.
c_sources() { # DIRECTORY...
	find "$@" -name '*.[ch]' | sort | xargs awk '
		FNR == 1 { name[++files] = FILENAME }
		FNR <= 2 && /^\/\* Generated from / { generated[FILENAME] = 1 }
		END {
			for (i = 1; i <= files; i++)
				if (!(name[i] in generated))
					print name[i]
		}'
}

# Below the tree that selftest() is about, FILE gets TEXT, with printf's escapes.
put() { # FILE TEXT
	mkdir -p "$tree/${1%/*}"
	printf '%b' "$2" >"$tree/$1"
}

must_pass() {
	lint "$tree" || {
		echo "${0##*/}: selftest: what is right is refused" >&2
		exit 1
	}
}

# With TEXT in FILE the lint says PATTERN. Afterwards FILE is what it was.
must_fail() { # FILE TEXT PATTERN
	rm -f "$scratch/before"
	[ ! -f "$tree/$1" ] || mv "$tree/$1" "$scratch/before"
	put "$1" "$2"
	if lint "$tree" >"$scratch/said" || ! grep -q -e "$3" "$scratch/said"; then
		echo "${0##*/}: selftest: '$2' in $1 should give '$3', and gives:" >&2
		cat "$scratch/said" >&2
		exit 1
	fi
	rm "$tree/$1"
	[ ! -f "$scratch/before" ] || mv "$scratch/before" "$tree/$1"
}

lint_main() { # [DIRECTORY|--selftest]
	if [ "${1:-}" != --selftest ]; then
		lint "${1:-${SOURCE_DIR:-.}}"
		return
	fi
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-lint.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	tree=$scratch/tree
	selftest
	echo "${0##*/}: each rule can fail"
}
