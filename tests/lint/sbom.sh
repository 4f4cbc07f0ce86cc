#!/bin/sh
# SPDX-License-Identifier: ISC
# The bill of materials is JSON with a component, and its version, for each library that the linker was asked for.
#     sbom.sh [DIRECTORY]     makes one of dsrd and dsrctl in the build directory DIRECTORY (default: .) and compares
#     sbom.sh --selftest      proves that each rule can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# Below DIRECTORY are the bill, dsrd.cdx.json, and "needed": a library in each line.
lint() { # DIRECTORY
	bad=0
	if command -v python3 >/dev/null && ! python3 -m json.tool "$1/dsrd.cdx.json" >/dev/null 2>&1; then
		echo "dsrd.cdx.json: not JSON"
		bad=1
	fi
	while read -r library; do
		awk -v name="\"name\": \"$library\"," 'index($0, name) { getline; if ($0 ~ /"version": "[0-9]/) found = 1 }
			END { exit !found }' "$1/dsrd.cdx.json" || {
			echo "dsrd.cdx.json: $library has no component with a version"
			bad=1
		}
	done <"$1/needed"
	return "$bad"
}

selftest() {
	put ./needed 'liba.so.1\n'
	put ./dsrd.cdx.json '{\n"name": "liba.so.1",\n"version": "1.2"\n}\n'
	must_pass
	must_fail ./needed 'liba.so.1\nlibb.so.2\n' 'libb.so.2 has no component'
	must_fail ./dsrd.cdx.json '{\n"name": "liba.so.1",\n"version": "unknown"\n}\n' 'liba.so.1 has no component'
	! command -v python3 >/dev/null ||
		must_fail ./dsrd.cdx.json '{\n"name": "liba.so.1",\n"version": "1.2",\n}\n' 'not JSON'
}

if [ "${1:-}" != --selftest ]; then
	directory=${1:-.}
	for program in readelf ldd readlink; do
		command -v "$program" >/dev/null || { echo "${0##*/}: $program is not installed" >&2; exit 77; }
	done
	# A program for another system, or a static one, needs no library that could be missing in the bill.
	ldd "$directory/dsrd" >/dev/null 2>&1 || exit 0
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-sbom.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	sh "$here/../../contrib/sbom.sh" 1 "$directory/dsrd" "$directory/dsrctl" >"$scratch/dsrd.cdx.json"
	readelf -d "$directory/dsrd" "$directory/dsrctl" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
		sort -u >"$scratch/needed"
	[ -s "$scratch/needed" ] || { echo "${0##*/}: readelf finds no library" >&2; exit 1; }
	lint "$scratch"
	exit
fi
lint_main --selftest
