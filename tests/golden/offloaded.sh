#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs each golden case with and without offload: see offloaded.c. Needs no privileges, except for offloaded.sh
# --kernel.
set -u

here=${SOURCE_DIR:+$SOURCE_DIR/tests/golden}
here=${here:-$(cd "$(dirname "$0")" && pwd)}
program=${BUILD_DIR:-.}/tests/golden/offloaded
said=$(mktemp "${TMPDIR:-/tmp}/offloaded.XXXXXX") || exit 1
trap 'rm -f "$said"' EXIT
status=0

# play [--kernel PROGRAM]
play() {
	offloaded=0 selected=0
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
			echo "FAILED ${case##*/} $*"
			status=1
			;;
		esac
		number=$(sed -n 's/.* selected of \([0-9]*\) offloaded: .*/\1/p' "$said")
		[ -z "$number" ] || offloaded=$((offloaded + number))
		number=$(sed -n 's/ selected of .*//p' "$said")
		[ -z "$number" ] || selected=$((selected + number))
	done
	echo "$offloaded frames offloaded, of $selected the server selected $*"
	if [ "$offloaded" -lt 5 ] || [ "$selected" -lt 50 ]; then
		echo "FAILED: only $offloaded frames were offloaded, and $selected selected: this tests nothing"
		status=1
	fi
}

if [ "${1:-}" = --kernel ]; then
	play --kernel xdp
	play --kernel tc
else
	play
fi
exit "$status"
