#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The instructions for a frame, from the parser to the new addresses, without the system's part: an established flow in
# a
# table of a million. Counted by valgrind, independent of other load on the machine.
#
#   tests/bench/instructions.sh BUILD_DIR

set -eu
[ $# -eq 1 ] || { echo "usage: ${0##*/} BUILD_DIR" >&2; exit 64; } # EX_USAGE, sysexits(3)
command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 69; } # EX_UNAVAILABLE

said=$(valgrind --tool=callgrind --collect-atstart=no '--toggle-collect=forward_frames*' --callgrind-out-file=/dev/null \
    "$1/tests/bench/instructions" 2>&1)
echo "$said" | awk '
	/^flows=/ { split($2, frames, "=") }
	/Collected/ { collected = $NF }
	END {
		if (frames[2] + 0 == 0 || collected + 0 == 0) {
			print "nothing was counted"
			exit 1
		}
		printf "%.0f instructions a frame (established flow, 1 000 000 flows, 60 bytes)\n", collected / frames[2]
	}' || { echo "$said" >&2; exit 1; }
