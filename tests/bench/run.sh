#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Compares dsrd with other forwarders, in turns in one network of namespaces, and prints a table. doc/performance.md
# explains
# the figures.
#
#   tests/bench/run.sh [--quick] [--rounds N] [--only FORWARDERS] [--results FILE] BUILD_DIR [PART...]
#   tests/bench/run.sh --table FILE
#
# PART is rate, loss, delay or tcp; without one, all of them run. `--only methods` compares the methods by which servers
# are reached. With --results the figures are appended to a file,
# so that a table can combine several runs. --quick only shows that everything works; its figures mean little.

# shellcheck disable=SC2034 # the files sourced below use these
set -u

usage() {
	sed -n 's/^#   tests/usage: tests/p' "$0" >&2
	exit 64 # EX_USAGE, sysexits(3)
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
rounds=5 quick=no only='' results=''
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=yes rounds=1 ;;
	--rounds | --only | --results | --table)
		[ $# -ge 2 ] || usage
		case $1 in
		--rounds) rounds=$2 ;;
		--only) only=$2 ;;
		--results) results=$2 ;;
		--table) exec awk -f "$here/table.awk" "$2" ;;
		esac
		shift
		;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
	usage
fi
BUILD_DIR=$(CDPATH='' cd -- "$1" && pwd)
shift
[ -z "$results" ] || : >>"$results"
RESULTS=${results:+$(CDPATH='' cd -- "$(dirname -- "$results")" && pwd)/${results##*/}}

# WINDOW and those in _SECONDS are seconds, LOSS_STEPS per cent, TEACH_RATE frames a second, the rest are counts.
LOADS='60-10k imix-10k 1400-10k 60-1m 60-new'
if [ "$quick" = yes ]; then
	WINDOW=1 MANY=20000 TEACH_RATE=20000 LOSS_STEPS='50' LOSS_SECONDS=1 QUESTIONS=200 TCP_SECONDS=1
else
	WINDOW=2 MANY=1000000 TEACH_RATE=100000 LOSS_STEPS='50 70 80 90 95 100' LOSS_SECONDS=2 QUESTIONS=2000 \
	    TCP_SECONDS=3
fi

# shellcheck source-path=SCRIPTDIR source=../integration/net.sh disable=SC1091,SC2119
. "$here/../integration/net.sh"
# shellcheck source-path=SCRIPTDIR source=load.sh disable=SC1091
. "$here/load.sh"
# shellcheck source-path=SCRIPTDIR source=forwarders.sh disable=SC1091
. "$here/forwarders.sh"
# shellcheck source-path=SCRIPTDIR source=parts.sh disable=SC1091
. "$here/parts.sh"

net_require nft taskset chrt awk iperf3 tc bridge
[ -f "$BUILD_DIR/tests/bench/bench.bpf.o" ] || skip "built without BPF, which counts here: see configure"
[ -x "$BUILD_DIR/tests/bench/blast" ] || fail "there is no $BUILD_DIR/tests/bench/blast: type make"
[ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] || skip "one processor only: the benchmark would have to measure itself too"
# What measures is elsewhere.
taskset -p -c 0 $$ >/dev/null
RESULTS=${RESULTS:-$NET_DIR/results}
parts=${*:-rate loss delay tcp}
for part in $parts; do
	case $part in
	rate | loss | delay | tcp) ;;
	*) usage ;;
	esac
done
[ "$only" != methods ] || only=$METHOD_FORWARDERS
forwarders=${only:-$(forwarders_here)}

# The list, beginning with another one in each round.
turned() { # ROUND NAME...
	turns=$(($1 % ($# - 1)))
	shift
	while [ "$turns" -gt 0 ]; do
		set -- "$@" "$1"
		shift
		turns=$((turns - 1))
	done
	echo "$@"
}

echo "machine $(uname -srm), $(getconf _NPROCESSORS_ONLN) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" |
	tee -a "$RESULTS"
echo "date $(date -u +%Y-%m-%d), $("$DSRD" --version | head -n 1)" | tee -a "$RESULTS"
bench_up
# Rounds of several runs in one file have distinct numbers.
first=$(($(awk '$1 != "date" && $2 + 0 > most { most = $2 + 0 } END { print most + 0 }' "$RESULTS") + 1))
round=$first ran=''
while [ "$round" -lt $((first + rounds)) ]; do
	# shellcheck disable=SC2086 # words
	for forwarder in $(turned "$round" $forwarders); do
		start_forwarder "$forwarder" || continue
		ran="$ran $forwarder"
		for part in $parts; do
			"part_$part"
		done
		stop_forwarder
	done
	round=$((round + 1))
done
echo
awk -f "$here/table.awk" "$RESULTS" | tee "$NET_DIR/table"
[ "$quick" = no ] || awk -v ran="$ran" -v parts="$parts" -v loads="$LOADS" -f "$here/complete.awk" "$RESULTS" \
    "$NET_DIR/table" ||
	fail "the figures above are missing"
