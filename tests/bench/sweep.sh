#!/bin/sh
# SPDX-License-Identifier: ISC
#
# How the time for a frame without I/O (tests/bench/instructions.c) grows with services, servers and flows, one at a
# time.
# The minimum of three runs is printed, because other load only adds time.
#
#   tests/bench/sweep.sh [--quick] BUILD_DIR

set -eu
flows='100 10000 1000000 10000000' many=1000000 rounds='1 2 3'
if [ "${1:-}" = --quick ]; then
	flows='100 10000' many=10000 rounds=1
	shift
fi
[ $# -eq 1 ] || { echo "usage: ${0##*/} [--quick] BUILD_DIR" >&2; exit 64; } # EX_USAGE, sysexits(3)

# The least time of a frame for each line "FLOWS SERVICES SERVERS" on standard input, as a table.
sweep() { # TITLE
	printf '\n%s\n%10s %10s %10s %12s\n' "$1" flows services servers "ns a frame"
	while read -r sweep_flows sweep_services sweep_servers; do
		for _ in $rounds; do
			"$build/tests/bench/instructions" "$sweep_flows" "$sweep_services" "$sweep_servers"
		done | sed 's/.*nanoseconds=//' | sort -n |
			sed -n "1s/^/$sweep_flows $sweep_services $sweep_servers /p" |
			awk '{ printf "%10d %10d %10d %12d\n", $1, $2, $3, $4 } END { exit NR == 0 }'
	done
}

build=$1
for number in 1 10 100 1000; do echo "$many $number 2"; done | sweep 'Services, each with a VIP and two servers:'
for number in 2 10 100 1000; do echo "$many 1 $number"; done | sweep 'Servers of one service:'
for number in $flows; do echo "$number 1 4"; done | sweep 'Flows:'
