#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Instructions that dsrd spends on a frame, from the parser to the new addresses, without the system's part: a flow that is
# established, in a table of a million. Counted by valgrind, so that no other load of the machine is in it.
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
