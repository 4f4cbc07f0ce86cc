#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs the integration tests, each with real programs in its own network of namespaces.
#
#   tests/integration/run.sh [-r] [-j JOBS] BUILD_DIR [NAME...]      e.g. run.sh /tmp/build wrr dns
#
# Tests run in parallel, because they mostly wait. A test with a line "# Alone: REASON" runs when all others have ended,
# and
# so does the second try of a test that failed while others ran. With -r every failed test gets a second try, for
# machines
# with other load.
#
# Prints a line for each test, always in the same order, and for a failed test the end of its log and the command that
# runs
# it alone. Status 0: no test failed. Environment: DSRD_CI=1 makes a skipped test a failure, DSRD_KEEP=1 keeps what the
# tests wrote, TEST_TIMEOUT (seconds) bounds each test, TEST_ALONE_AFTER=FILE: while FILE exists, tests that run alone
# wait.

set -u

usage() {
	echo "usage: ${0##*/} [-r] [-j JOBS] BUILD_DIR [NAME...]" >&2
	exit 64 # EX_USAGE, sysexits(3)
}

# These take longest when everything runs, so they start first. A test that is missing here only starts later.
longest="doctor conflict ecmp_bird ecmp_frr peers documents json answers_lost doctor_host methods_offload vip_check keepalived_fifo
    ucarp doctor_down vip_check6 mac_change doctor6 realserver web warmup"

retry=no
# All of them take about as long on a processor as an eighth of the time they take.
jobs=$((4 * $(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)))
while getopts rj: option; do
	case $option in
	r) retry=yes ;;
	j) jobs=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
case $jobs in
'' | *[!0-9]* | 0) usage ;;
esac

[ $# -ge 1 ] || usage
[ -d "$1" ] || { echo "${0##*/}: $1: no such directory; build dsrd first" >&2; exit 64; }
BUILD_DIR=$(CDPATH='' cd -- "$1" && pwd)
export BUILD_DIR
shift
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# What is known of a test NAME: $run/NAME/log, and $run/NAME/result ("STATUS SECONDS") when it has ended.
run=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-run.XXXXXX") || exit 71

workers='' running=''
finish() {
	trap - EXIT INT TERM
	if [ -n "$workers$running" ]; then
		# shellcheck disable=SC2086 # process ids
		kill -TERM $workers $running 2>/dev/null
		wait
	fi
	rm -rf "$run"
	exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM

# --- running ---------------------------------------------------------------------------------------------------------

run_test() { # NAME
	mkdir -p "$run/$1"
	begin=$(date +%s)
	# timeout(1) creates a process group, so an interrupt reaches the test only if it is passed on.
	timeout -k 20 "${TEST_TIMEOUT:-300}" sh "$here/test_$1.sh" >"$run/$1/log" 2>&1 </dev/null &
	running=$!
	wait "$running"
	status=$?
	running=''
	[ "$status" != 124 ] || echo "FAILED: not done after ${TEST_TIMEOUT:-300} s" >>"$run/$1/log"
	echo "$status $(($(date +%s) - begin))" >"$run/$1/ended"
	mv "$run/$1/ended" "$run/$1/result"
}

# Runs the next test that no other worker has started, until all are done.
work() { # NAME...
	trap 'kill -TERM "$running" 2>/dev/null; wait; exit 143' TERM
	for name; do
		mkdir "$run/$name" 2>/dev/null || continue
		run_test "$name"
	done
}

ran() { # NAME: sets `status` and `took`
	read -r status took <"$run/$1/result"
}

failed_once() { # NAME
	ran "$1"
	[ "$status" -ne 0 ] && [ "$status" -ne 77 ]
}

# --- reporting -------------------------------------------------------------------------------------------------------

report_log() { # NAME
	tail -n 60 "$run/$1/log" | sed 's/^/    /'
}

report_command() { # NAME
	echo "    to run it alone: ${DSRD_OFFLOAD:+DSRD_OFFLOAD=$DSRD_OFFLOAD }sh $here/run.sh $BUILD_DIR $1"
}

# The line of a finished test. HOW is empty or describes how it ran.
report() { # NAME HOW
	ran "$1"
	case $status in
	0)
		echo "ok $1 (${took}s$2)"
		sed -n 's/^# measured: /    /p' "$run/$1/log"
		;;
	77) echo "skip $1: $(sed -n 's/^SKIPPED: //p' "$run/$1/log" | tail -n 1)" ;;
	*)
		echo "not ok $1 (${took}s$2), status $status; the end of its log:"
		report_log "$1"
		report_command "$1"
		;;
	esac
}

report_again() { # NAME
	echo "again $1 (${took}s), status $status; it gets a second try, alone. The end of its log:"
	report_log "$1"
}

# The lines of the tests that run in parallel, in the order of the arguments, each as early as possible.
report_parallel() { # NAME...
	for name; do
		until [ -e "$run/$name/result" ]; do
			[ ! -e "$run/.ended" ] || return
			sleep 0.2
		done
		if failed_once "$name"; then
			report_again "$name"
		else
			report "$name" ''
		fi
	done
}

# --- all of it -------------------------------------------------------------------------------------------------------

if [ $# -eq 0 ]; then
	set -- "$here"/test_*.sh
fi
parallel='' alone='' missing=0
for test in "$@"; do
	name=${test##*/}
	name=${name#test_}
	name=${name%.sh}
	if [ ! -f "$here/test_$name.sh" ]; then
		echo "not ok $name: there is no $here/test_$name.sh"
		missing=$((missing + 1))
	elif [ $# -eq 1 ] || [ "$jobs" -eq 1 ] || grep -q '^# Alone: ' "$here/test_$name.sh"; then
		alone="$alone $name"
	else
		parallel="$parallel $name"
	fi
done

first=''
for name in $longest; do
	case " $parallel " in
	*" $name "*) first="$first $name" ;;
	esac
done
again=''
if [ -n "$parallel" ]; then
	while [ "$jobs" -gt 0 ]; do
		# shellcheck disable=SC2086 # names
		work $first $parallel &
		workers="$workers $!"
		jobs=$((jobs - 1))
	done
	# shellcheck disable=SC2086 # names
	report_parallel $parallel &
	reporter=$!
	# shellcheck disable=SC2086 # process ids
	wait $workers
	workers=$reporter
	: >"$run/.ended"
	wait "$reporter"
	workers=''
	for name in $parallel; do
		[ -e "$run/$name/result" ] || echo "1 0" >"$run/$name/result"
		! failed_once "$name" || again="$again $name"
	done
fi

while [ -n "$alone$again" ] && [ -e "${TEST_ALONE_AFTER:-/nonexistent}" ]; do
	sleep 1
done
for name in $alone; do
	run_test "$name"
	if [ "$retry" = yes ] && failed_once "$name"; then
		report_again "$name"
		again="$again $name"
	else
		report "$name" ''
	fi
done
for name in $again; do
	run_test "$name"
	report "$name" ', second try'
done

passed=0 failed=$missing skipped=0
for name in $parallel $alone; do
	ran "$name"
	case $status in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
done
echo "integration: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
