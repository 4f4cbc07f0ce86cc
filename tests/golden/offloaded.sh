#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs each golden case with and without offload: see carried.c. Needs no privileges, except for carried.sh --kernel.
set -u

here=${SOURCE_DIR:+$SOURCE_DIR/tests/golden}
here=${here:-$(cd "$(dirname "$0")" && pwd)}
program=${BUILD_DIR:-.}/tests/golden/carried
said=$(mktemp "${TMPDIR:-/tmp}/carried.XXXXXX") || exit 1
trap 'rm -f "$said"' EXIT
status=0 carried=0
for case in "$here"/*/in.pcap; do
	case=${case%/in.pcap}
	"$program" "$@" "$case" >"$said" 2>&1
	case $? in
	0) ;;
	77)
		cat "$said" >&2
		exit 77
		;;
	*)
		cat "$said" >&2
		echo "FAILED ${case##*/}"
		status=1
		;;
	esac
	number=$(sed -n 's/ carried: .*//p' "$said")
	[ -z "$number" ] || carried=$((carried + number))
done
echo "$carried frames carried"
[ "$carried" -ge 5 ] || {
	echo "FAILED: only $carried frames were carried: this tests nothing"
	status=1
}
exit "$status"
